#include "cmd/network.h"

#include "base/json_write.h"
#include "gateway/database.h"

#include <stdio.h>
#include <string.h>

enum { LOCAL_TOKEN_HOURS = 24 };

/* Where a client on this machine reaches a gateway that listens on `listen`: a wildcard address becomes loopback. */
static bool make_urls(struct network *network, const char *listen, bool tls, unsigned port, struct err *err) {
    const char *colon = strrchr(listen, ':');
    struct str host = {listen, colon == NULL ? 0 : (size_t)(colon - listen)};
    if (str_equal_cstr(host, "0.0.0.0") || host.len == 0) {
        host = STR("127.0.0.1");
    } else if (str_equal_cstr(host, "[::]")) {
        host = STR("[::1]");
    }
    const int written =
        snprintf(network->origin, sizeof network->origin, "%s://%.*s:%u", tls ? "https" : "http", STR_ARG(host), port);
    if (written < 0 || (size_t)written + sizeof "/v1" > sizeof network->origin) {
        return err_set(err, ERR_INVALID, "the address to listen on is too long");
    }
    (void)str_copy(network->base_url, sizeof network->base_url, str_from(network->origin));
    memcpy(network->base_url + written, "/v1", sizeof "/v1");
    return true;
}

/* The port is known only after listening when port 0 was asked for, but other commands read the origin from the store,
 * which by then is the gateway's own; a second connection writes it. */
static bool remember_origin(const char *store_path, const struct network *network, struct err *err) {
    struct store *store = NULL;
    if (!gateway_database_open(&store, store_path, err)) {
        return false;
    }
    const bool ok = store_setting_set(store, "origin", network->origin, err);
    store_close(store);
    return ok;
}

/* Two gateways on one store would each believe in their own memory of it. */
static bool lock_folder(const char *data_folder, struct err *err) {
    char path[FILE_PATH_MAX];
    if (!file_join(path, data_folder, "gateway.lock", err)) {
        return false;
    }
    if (file_lock(path, err)) {
        return true;
    }
    return err->code != ERR_CONFLICT
               ? false
               : err_set(err, ERR_CONFLICT, "another gateway runs in %s: stop it, or choose another --data folder",
                         data_folder);
}

static bool prepare_owner(struct network *network, const char *store_path, const char *data_folder, struct err *err) {
    struct store *store = NULL;
    if (!gateway_database_open(&store, store_path, err)) {
        return false;
    }
    const bool ok = owner_ensure(store, data_folder, &network->owner, err) &&
                    owner_invite(store, &network->owner, LOCAL_TOKEN_HOURS, 1, network->join_token, err);
    store_close(store);
    return ok;
}

bool network_open(struct network *network, struct loop *loop, const char *data_folder, struct gateway_options *options,
                  const struct gateway_events *events, void *context, struct err *err) {
    char store_path[FILE_PATH_MAX], admin[FILE_PATH_MAX + 16];
    if (!owner_store_path(data_folder, store_path, err) || !lock_folder(data_folder, err) ||
        !prepare_owner(network, store_path, data_folder, err)) {
        return false;
    }
    options->store_path = store_path;
    snprintf(admin, sizeof admin, "unix:%s/admin.sock", data_folder);
    options->admin = admin;
    if (!gateway_open(&network->gateway, loop, options, events, context, err)) {
        return false;
    }
    return make_urls(network, options->listen, options->tls_cert != NULL, gateway_port(network->gateway), err) &&
           remember_origin(store_path, network, err);
}

void network_print_json(const struct network *network) {
    struct buf text;
    struct json_writer writer;
    buf_init(&text, 4096);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_cstr(&writer, "base_url", network->base_url);
    json_member_cstr(&writer, "api_key", network->owner.live_key);
    json_member_cstr(&writer, "test_key", network->owner.test_key);
    json_end_object(&writer);
    printf("%s\n", buf_cstr(&text));
    fflush(stdout);
    buf_clear(&text);
}
