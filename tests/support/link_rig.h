/* A gateway's and a provider's side of the link on loopback in one loop. Each side keeps a log of what it was told, one
 * event per line, and tells a hook of the test. */
#ifndef NATARIS_TESTS_SUPPORT_LINK_RIG_H
#define NATARIS_TESTS_SUPPORT_LINK_RIG_H

#include "base/buf.h"
#include "link/client.h"
#include "link/peer.h"
#include "link/server.h"
#include "net/ws_client.h"

#include <stdbool.h>
#include <stddef.h>

enum { LINK_RIG_HANG_MS = 20000 };
#define LINK_RIG_TOKEN "join_good" /* the only join token the rig admits */

struct link_rig {
    struct loop *loop;
    struct loop_timer *hang_guard;
    struct http_server *http;
    struct link_server_config server_config;
    struct link_server *server; /* made with the first request; NULL after its end */
    struct link_peer *peer;     /* the latest that said hello; NULL when gone */
    struct link_client *client;
    /* With link_rig_use_device_loop: the client's own loop, which the main one turns now and then. Frozen, the device
     * neither reads nor answers, but its socket stays open. */
    struct loop *device_loop;
    struct loop_timer *pump;
    bool frozen;
    uint8_t private_key[ED25519_KEY_SIZE], public_key[ED25519_KEY_SIZE];
    struct buf gateway_log, provider_log;
    struct buf text;   /* of all deltas */
    unsigned tokens;   /* of all deltas */
    size_t part_bytes; /* of all deltas: what they hold beside text */
    bool silent_log;   /* deltas are gathered, not logged */
    /* `event` is the line that was just logged. */
    void (*on_gateway)(struct link_rig *rig, const char *event);
    void (*on_provider)(struct link_rig *rig, const char *event);
    /* Answers HTTP requests instead of the link server. */
    void (*on_request)(struct link_rig *rig, struct http_exchange *exchange);
    /* A hand-driven provider or gateway. */
    struct ws_attempt *attempt;
    struct ws_conn *ws;
    struct buf ws_log; /* messages, binary ones as "binary 0203...", then "close 1002 reason" */
    void (*on_ws)(struct link_rig *rig, const char *event);
    unsigned rounds; /* for the test's own counting */
    bool over;
};

int link_rig_setup(void **state); /* *state becomes a struct link_rig * */
int link_rig_teardown(void **state);
/* Before link_rig_start_client. */
void link_rig_use_device_loop(struct link_rig *rig);
/* Starts the real provider side; `token` is its join token. */
void link_rig_start_client(struct link_rig *rig, const char *token);
/* Opens a WebSocket to the link server, for a test that plays the provider by hand. */
void link_rig_start_ws(struct link_rig *rig);
/* Takes a request over as a WebSocket, for a test that plays the gateway by hand. */
void link_rig_accept_ws(struct link_rig *rig, struct http_exchange *exchange);
void link_rig_ws_send(struct link_rig *rig, const char *text);
void link_rig_ws_send_hex(struct link_rig *rig, const char *hex); /* a binary message */
/* Closes everything, so that loop_run returns; a second call changes nothing. */
void link_rig_end(struct link_rig *rig);
void link_rig_run(struct link_rig *rig);
/* A request of `prompt_bytes` times 'x'; the caller frees its prompt. */
struct gen_request link_rig_request(size_t prompt_bytes);

#endif
