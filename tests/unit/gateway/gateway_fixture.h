/* A whole gateway on loopback in one loop: its store in a temporary folder, clients that speak HTTP to it, the
 * operator's socket, and a device behind the real client side of the link. One file of tests includes it. */
#ifndef NATARIS_TESTS_UNIT_GATEWAY_GATEWAY_FIXTURE_H
#define NATARIS_TESTS_UNIT_GATEWAY_GATEWAY_FIXTURE_H

#include "auth/key.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "gateway/database.h"
#include "gateway/gateway.h"
#include "link/client.h"
#include "store/admin.h"
#include "store/ledger.h"
#include "wire/join_token.h"
#include "wire/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cmocka.h>

#include "support/net_harness.h"
#include "support/temp_folder.h"

#define GATEWAY_MODEL "nataris-demo-2m"
#define GATEWAY_OWN_MODEL "my/own:model" /* in no catalog */

enum { GATEWAY_URL_SIZE = 64, GATEWAY_PATH_SIZE = 128, GATEWAY_REQUEST_SIZE = 2048, GATEWAY_REPLY_MAX = 1 << 20 };

struct gateway_fixture {
    struct net_harness net;
    struct temp_folder folder;
    char store_path[GATEWAY_PATH_SIZE];
    char admin_path[GATEWAY_PATH_SIZE]; /* of the socket */
    char admin_address[GATEWAY_PATH_SIZE + 8];
    char keys[2][KEY_SIZE]; /* by kind */
    char join_token[JOIN_TOKEN_SIZE];
    struct gateway_options options; /* changed before gateway_fixture_open */
    struct gateway *gateway;        /* NULL once it has stopped */
    unsigned stopped, models_changed;
    struct err stop_reason; /* code ERR_NONE: an ordinary stop */
    struct net_peer client; /* of the latest request */
    struct buf reply;       /* of the latest request to the operator's socket */
    /* The device: it answers each generation at once, or keeps it. */
    struct link_client *device;
    char device_id[STORE_ID_MAX];
    bool device_keeps, device_drained, device_lost, device_closed;
    unsigned generations, cancels;
    uint64_t generation;
};

/* --- The store --- */

/* One account with money, a key of each kind, and a token for its devices. */
static void gateway_fixture_fill_store(struct gateway_fixture *fixture) {
    struct store_admin action = {.kind = STORE_ADMIN_ACCOUNT_CREATE,
                                 .actor = "test",
                                 .account = {.id = "acct_1", .name = "Ada", .tier = STORE_TIER_UNLIMITED},
                                 .key_count = 2,
                                 .amount_nano = STORE_WELCOME_CREDIT_NANO,
                                 .now_ms = clock_wall_ms()};
    struct store_join_token token = {.account_id = "acct_1", .uses = 10, .created_ms = 1, .expires_ms = INT64_MAX};
    struct store_admin result;
    struct store *store;
    struct err err;
    action.account.created_ms = action.now_ms;
    for (int kind = STORE_KEY_LIVE; kind <= STORE_KEY_TEST; kind++) {
        struct store_key *key = &action.keys[kind];
        *key = (struct store_key){
            .kind = (enum store_key_kind)kind, .account_id = "acct_1", .created_ms = action.now_ms, .cap_nano = -1};
        (void)snprintf(key->id, sizeof(key->id), "key_%d", kind);
        key_generate(key->kind, fixture->keys[kind]);
        key_hash(str_from(fixture->keys[kind]), key->sha256);
    }
    join_token_generate(fixture->join_token);
    join_token_hash(str_from(fixture->join_token), token.sha256);
    assert_true(gateway_database_open(&store, fixture->store_path, &err));
    assert_true(store_admin_now(store, &action, &result, &err));
    assert_true(store_join_token_add(store, &token, &err));
    store_close(store);
}

/* --- The gateway --- */

static void gateway_fixture_on_stopped(void *context, const struct err *err) {
    struct gateway_fixture *fixture = context;
    fixture->gateway = NULL;
    fixture->stopped++;
    fixture->stop_reason = err != NULL ? *err : (struct err){0};
}

static void gateway_fixture_on_models_changed(void *context) {
    ((struct gateway_fixture *)context)->models_changed++;
}

static const struct gateway_events GATEWAY_FIXTURE_EVENTS = {.on_models_changed = gateway_fixture_on_models_changed,
                                                             .on_stopped = gateway_fixture_on_stopped};

UNUSED static bool gateway_fixture_open(struct gateway_fixture *fixture, struct err *err) {
    loop_timer_stop(fixture->net.tick); /* a failure runs the loop until it is empty */
    const bool ok =
        gateway_open(&fixture->gateway, fixture->net.loop, &fixture->options, &GATEWAY_FIXTURE_EVENTS, fixture, err);
    loop_timer_start(fixture->net.tick, NET_TICK_MS, NET_TICK_MS);
    return ok;
}

UNUSED static int gateway_fixture_setup(void **state) {
    struct gateway_fixture *fixture = MEM_NEW(struct gateway_fixture);
    log_set_level(LOG_ERROR);
    net_harness_init(&fixture->net);
    temp_folder_init(&fixture->folder);
    (void)temp_folder_file(&fixture->folder, "nataris.db", fixture->store_path);
    (void)temp_folder_file(&fixture->folder, "admin.sock", fixture->admin_path);
    (void)snprintf(fixture->admin_address, sizeof(fixture->admin_address), "unix:%s", fixture->admin_path);
    gateway_fixture_fill_store(fixture);
    buf_init(&fixture->reply, GATEWAY_REPLY_MAX);
    gateway_options_init(&fixture->options);
    fixture->options.store_path = fixture->store_path;
    fixture->options.listen = "127.0.0.1:0";
    fixture->options.admin = fixture->admin_address;
    *state = fixture;
    return 0;
}

/* With a gateway that serves. */
UNUSED static int gateway_fixture_setup_open(void **state) {
    struct err err;
    (void)gateway_fixture_setup(state);
    if (!gateway_fixture_open(*state, &err)) {
        fail_msg("%s", err.message);
    }
    return 0;
}

static void gateway_fixture_on_device_closed(void *context) {
    struct gateway_fixture *fixture = context;
    fixture->device = NULL;
    fixture->device_closed = true;
}

UNUSED static void gateway_fixture_close_device(struct gateway_fixture *fixture) {
    if (fixture->device != NULL) {
        link_client_close(fixture->device, gateway_fixture_on_device_closed, fixture);
        NET_UNTIL(&fixture->net, fixture->device == NULL);
    }
}

/* Stops the gateway, if it has not stopped by itself; the second drain cuts what still runs. */
UNUSED static void gateway_fixture_stop(struct gateway_fixture *fixture) {
    for (int i = 0; i < 2 && fixture->gateway != NULL; i++) {
        gateway_drain(fixture->gateway);
    }
    NET_UNTIL(&fixture->net, fixture->gateway == NULL);
}

UNUSED static int gateway_fixture_teardown(void **state) {
    struct gateway_fixture *fixture = *state;
    net_peer_clear(&fixture->net, &fixture->client);
    gateway_fixture_close_device(fixture);
    gateway_fixture_stop(fixture);
    net_harness_clear(&fixture->net);
    buf_clear(&fixture->reply);
    temp_folder_clear(&fixture->folder);
    free(fixture);
    return 0;
}

#define GATEWAY_TEST(function)                                                                                         \
    cmocka_unit_test_setup_teardown(function, gateway_fixture_setup_open, gateway_fixture_teardown)

/* --- Clients --- */

/* Sends a request on a connection of its own; `key` empty: without one. */
UNUSED static void gateway_fixture_send(struct gateway_fixture *fixture, const char *line, const char *key,
                                        const char *body) {
    char text[GATEWAY_REQUEST_SIZE];
    const int len = snprintf(text, sizeof(text),
                             "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s%s%sContent-Type: "
                             "application/json\r\nContent-Length: %zu\r\n\r\n%s",
                             line, key[0] != '\0' ? "Authorization: Bearer " : "", key, key[0] != '\0' ? "\r\n" : "",
                             strlen(body), body);
    assert_in_range(len, 1, sizeof(text) - 1);
    net_peer_clear(&fixture->net, &fixture->client);
    net_peer_connect(&fixture->net, &fixture->client, gateway_port(fixture->gateway));
    conn_write(fixture->client.conn, str_from(text));
}

/* The answer to it, when the gateway has closed its connection. */
UNUSED static const char *gateway_fixture_receive(struct gateway_fixture *fixture) {
    NET_UNTIL(&fixture->net, fixture->client.closed);
    return buf_cstr(&fixture->client.received);
}

UNUSED static const char *gateway_fixture_call(struct gateway_fixture *fixture, const char *line, const char *key,
                                               const char *body) {
    gateway_fixture_send(fixture, line, key, body);
    return gateway_fixture_receive(fixture);
}

/* A chat with a key; `more` are further members such as ",\"stream\":true". */
UNUSED static void gateway_fixture_send_chat(struct gateway_fixture *fixture, enum store_key_kind kind,
                                             const char *content, const char *more) {
    char body[GATEWAY_REQUEST_SIZE / 2];
    (void)snprintf(body, sizeof(body),
                   "{\"model\":\"" GATEWAY_MODEL "\",\"max_tokens\":16,\"messages\":[{\"role\":\"user\",\"content\":"
                   "\"%s\"}]%s}",
                   content, more);
    gateway_fixture_send(fixture, "POST /v1/chat/completions", fixture->keys[kind], body);
}

UNUSED static void gateway_fixture_assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("no %s in %s", part, text);
    }
}

/* --- The operator --- */

/* A request to the operator's socket, and its answer. */
UNUSED static const char *gateway_fixture_admin(struct gateway_fixture *fixture, const char *line, const char *body) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[GATEWAY_REQUEST_SIZE], received[4096];
    ssize_t got = 1;
    const int len = snprintf(text, sizeof(text),
                             "%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n%s",
                             line, strlen(body), body);
    const int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)str_copy(address.sun_path, sizeof(address.sun_path), str_from(fixture->admin_path));
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(send(client, text, (size_t)len, 0), len);
    buf_reset(&fixture->reply);
    while (got != 0) { /* until it closes */
        uv_run(loop_uv(fixture->net.loop), UV_RUN_ONCE);
        got = recv(client, received, sizeof(received), MSG_DONTWAIT);
        if (got > 0) {
            (void)buf_append_str(&fixture->reply, (struct str){.data = received, .len = (size_t)got});
        }
    }
    close(client);
    return buf_cstr(&fixture->reply);
}

/* --- The device --- */

static void gateway_fixture_on_ready(void *context, const char *provider_id) {
    struct gateway_fixture *fixture = context;
    fixture->device_lost = false;
    (void)str_copy(fixture->device_id, sizeof(fixture->device_id), str_from(provider_id));
}

static void gateway_fixture_on_status_due(void *context) {
    struct gateway_fixture *fixture = context;
    const struct link_model models[] = {{.id = STR(GATEWAY_MODEL),
                                         .state = LINK_MODEL_WARM,
                                         .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE),
                                         .slots = 4,
                                         .context_length = 4096},
                                        {.id = STR(GATEWAY_OWN_MODEL),
                                         .state = LINK_MODEL_DOWNLOADING,
                                         .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE)}};
    const struct link_status status = {.battery_percent = -1, .models = models, .model_count = COUNT_OF(models)};
    link_client_send_status(fixture->device, &status);
}

/* Accepts the latest generation and sends some text. */
UNUSED static void gateway_fixture_begin(struct gateway_fixture *fixture, const char *text) {
    link_client_send_accept(fixture->device, &(struct link_accept){.job = fixture->generation, .prompt_tokens = 10});
    link_client_send_delta(fixture->device,
                           &(struct link_delta){.job = fixture->generation, .text = str_from(text), .tokens = 1});
}

UNUSED static void gateway_fixture_finish(struct gateway_fixture *fixture) {
    link_client_send_done(fixture->device, &(struct link_done){.job = fixture->generation,
                                                               .finish = LINK_FINISH_STOP,
                                                               .usage = {.prompt_tokens = 10, .completion_tokens = 1}});
}

static void gateway_fixture_on_generation(void *context, uint64_t generation, const struct gen_request *request) {
    struct gateway_fixture *fixture = context;
    (void)request;
    fixture->generations++;
    fixture->generation = generation;
    if (!fixture->device_keeps) {
        gateway_fixture_begin(fixture, "hi");
        gateway_fixture_finish(fixture);
    }
}

static void gateway_fixture_on_cancel(void *context, uint64_t generation) {
    (void)generation;
    ((struct gateway_fixture *)context)->cancels++;
}

static void gateway_fixture_on_drain(void *context) {
    ((struct gateway_fixture *)context)->device_drained = true;
}

static void gateway_fixture_on_lost(void *context, const char *reason, bool fatal) {
    (void)reason;
    (void)fatal;
    ((struct gateway_fixture *)context)->device_lost = true;
}

static const struct link_client_events GATEWAY_FIXTURE_DEVICE = {.on_ready = gateway_fixture_on_ready,
                                                                 .on_status_due = gateway_fixture_on_status_due,
                                                                 .on_job = gateway_fixture_on_generation,
                                                                 .on_cancel = gateway_fixture_on_cancel,
                                                                 .on_drain = gateway_fixture_on_drain,
                                                                 .on_lost = gateway_fixture_on_lost};

/* Whether some device can serve a model now. */
UNUSED static bool gateway_fixture_available(const struct gateway_fixture *fixture) {
    struct str model;
    bool available = false;
    for (size_t i = 0; !available && gateway_model_at(fixture->gateway, i, &model, &available); i++) {
    }
    return available;
}

/* A device comes with the model, ready to answer. */
UNUSED static void gateway_fixture_join(struct gateway_fixture *fixture) {
    char url[GATEWAY_URL_SIZE];
    uint8_t public_key[ED25519_KEY_SIZE];
    struct err err;
    (void)snprintf(url, sizeof(url), "http://127.0.0.1:%u", gateway_port(fixture->gateway));
    struct link_client_config config = {.url = url,
                                        .join_token = fixture->join_token,
                                        .device = {.name = STR("laptop"), .region = STR("DE"), .cores = 2},
                                        .backoff_min_ms = 1,
                                        .backoff_max_ms = 4};
    ed25519_generate(config.private_key, public_key);
    assert_true(link_client_new(&fixture->device, fixture->net.loop, &config, &GATEWAY_FIXTURE_DEVICE, fixture, &err));
    NET_UNTIL(&fixture->net, gateway_fixture_available(fixture));
}

#endif
