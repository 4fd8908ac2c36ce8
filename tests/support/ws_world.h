/* A loop with a WebSocket server and a client on loopback, for the tests of net/ws_conn and net/ws_client. */
#ifndef NATARIS_TESTS_SUPPORT_WS_WORLD_H
#define NATARIS_TESTS_SUPPORT_WS_WORLD_H

#include "base/buf.h"
#include "net/ws_client.h"

#include <stdbool.h>
#include <stddef.h>

#define WS_WORLD_PROTOCOL "test.v1"
enum { WS_WORLD_MAX_MESSAGE = 2 * 1024 * 1024, WS_WORLD_HANG_MS = 20000 };

/* One test's world. Logs read like "open text(hi) close(1000,bye)". */
struct ws_world {
    struct loop *loop;
    struct loop_timer *hang_guard;
    struct http_server *http;
    struct listener *raw;
    struct conn *raw_conn;
    const char *raw_answer; /* "$ACCEPT" stands for the right accept value */
    struct ws_attempt *attempt;
    struct ws_conn *server, *client;
    size_t server_max_message;
    struct buf server_log, client_log, received; /* received: raw bytes */
    unsigned closed;                             /* connections */
    bool over;
    enum err_code refused;
    /* What the test does; NULL: nothing. */
    void (*on_server_open)(struct ws_world *world);
    void (*on_client_open)(struct ws_world *world);
    void (*on_server_message)(struct ws_world *world, enum ws_opcode opcode, struct str payload);
    void (*on_client_message)(struct ws_world *world, enum ws_opcode opcode, struct str payload);
    unsigned closes_expected; /* the world ends after so many on_close */
};

int ws_world_setup(void **state); /* *state becomes a struct ws_world * */
int ws_world_teardown(void **state);
/* Lets the world's servers go, so that loop_run returns. */
void ws_world_end(struct ws_world *world);
void ws_world_connect(struct ws_world *world, unsigned port, unsigned timeout_ms);
void ws_world_on_open(void *context, struct ws_conn *ws, const struct err *reason);
void ws_world_expect_logs(struct ws_world *world, const char *server, const char *client);
/* Fails unless `part` is among the raw bytes. */
void ws_world_expect_received(struct ws_world *world, const char *part);
void ws_world_raw_closed(void *context, const struct err *reason);
extern const struct ws_conn_events WS_WORLD_CLIENT_EVENTS;
extern const struct conn_events WS_WORLD_RAW_EVENTS; /* gather what is received; the world ends with the connection */

#endif
