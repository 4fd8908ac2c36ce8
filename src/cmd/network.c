#include "cmd/network.h"

#include "cmd/data_folder.h"
#include "cmd/json_line.h"
#include "cmd/receipt.h"
#include "gateway/database.h"
#include "net/lookup_queue.h"

#include <stdio.h>
#include <string.h>

enum { LOCAL_TOKEN_HOURS = 24, LINE_MAX_BYTES = 4096 };

bool network_set_urls(struct network *network, const char *listen, bool tls, unsigned port, struct err *err) {
    const char *colon = strrchr(listen, ':');
    struct str host = {listen, colon == NULL ? 0 : (size_t)(colon - listen)};
    if (str_equal_cstr(host, "0.0.0.0") || host.len == 0) {
        host = STR("127.0.0.1");
    } else if (str_equal_cstr(host, "[::]")) {
        host = STR("[::1]");
    }
    const int written =
        snprintf(network->origin, sizeof(network->origin), "%s://%.*s:%u", tls ? "https" : "http", STR_ARG(host), port);
    if (written < 0 || (size_t)written + sizeof("/v1") > sizeof(network->origin)) {
        return err_set(err, ERR_INVALID, "the address to listen on is too long");
    }
    (void)str_copy(network->base_url, sizeof(network->base_url), str_from(network->origin));
    memcpy(network->base_url + written, "/v1", sizeof("/v1"));
    return true;
}

/* The port is known only after listening when port 0 was asked for, but other commands read the origin from the store,
 * which by then is the gateway's own; a second connection writes it. */
static bool remember_origin(const char *data_folder, const struct network *network, struct err *err) {
    struct store *store = NULL;
    if (!data_folder_open_store(data_folder, &store, err)) {
        return false;
    }
    const bool ok = store_setting_set(store, "origin", network->origin, err);
    store_close(store);
    return ok;
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
    lookup_queue_prepare();
    char store_path[FILE_PATH_MAX], admin[FILE_PATH_MAX + 16], audits[FILE_PATH_MAX + 16];
    /* Two gateways on one store would each believe in their own memory of it. */
    if (!owner_store_path(data_folder, store_path, err) || !data_folder_lock(data_folder, "gateway", err) ||
        !prepare_owner(network, store_path, data_folder, err)) {
        return false;
    }
    options->store_path = store_path;
    snprintf(admin, sizeof(admin), "unix:%s/admin.sock", data_folder);
    options->admin = admin;
    options->local_token = network->join_token;
    snprintf(audits, sizeof(audits), "%s/audits.jsonl", data_folder);
    options->audit_path = audits;
    if (!receipt_key_load(data_folder, options->receipt_key, err) ||
        !gateway_open(&network->gateway, loop, options, events, context, err)) {
        return false;
    }
    return network_set_urls(network, options->listen, options->tls_cert != NULL, gateway_port(network->gateway), err) &&
           remember_origin(data_folder, network, err);
}

void network_write_json(const struct network *network, struct json_writer *writer) {
    json_member_cstr(writer, "base_url", network->base_url);
    json_member_cstr(writer, "api_key", network->owner.live_key);
    json_member_cstr(writer, "test_key", network->owner.test_key);
}

void network_print_json(const struct network *network) {
    struct json_line line;
    json_line_begin(&line, LINE_MAX_BYTES);
    json_begin_object(&line.writer);
    network_write_json(network, &line.writer);
    json_end_object(&line.writer);
    json_line_print(&line);
}
