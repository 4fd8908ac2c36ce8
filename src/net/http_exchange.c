#include "net/http_exchange.h"

#include "base/mem.h"
#include "net/http_conn.h"
#include "net/http_state.h"

#include <stdlib.h>

enum { EXCHANGE_ARENA_EXTRA = 1024 * 1024 };

static void exchange_release(struct loop_deferred *deferred);

struct http_exchange *http_exchange_new(struct http_conn *http) {
    const struct http_server_config *config = &http->server->config;
    struct http_exchange *exchange = MEM_NEW(struct http_exchange);
    exchange->http = http;
    exchange->loop = http->server->loop;
    exchange->release.run = exchange_release;
    arena_init(&exchange->arena, 2 * (config->head_limits.head_bytes + config->body_bytes) + EXCHANGE_ARENA_EXTRA);
    buf_init(&exchange->body, config->body_bytes);
    return exchange;
}

bool http_exchange_hold(struct http_exchange *exchange, size_t len) {
    struct http_server *server = exchange->http->server;
    size_t limit = server->config.bodies_bytes;
    if (limit > 0 && len > limit - server->bodies_held) {
        return false;
    }
    server->bodies_held += len;
    exchange->held += len;
    return true;
}

void http_exchange_let_go(struct http_exchange *exchange) {
    exchange->http->server->bodies_held -= exchange->held;
    exchange->held = 0;
}

void http_exchange_end(struct http_exchange *exchange) {
    exchange->answer = HTTP_ANSWER_ENDED;
    if (exchange->http != NULL) {
        http_exchange_let_go(exchange);
        http_conn_answered(exchange->http, exchange->close_after);
        exchange->http = NULL;
    }
    loop_defer(exchange->loop, &exchange->release);
}

static void exchange_free(struct http_exchange *exchange) {
    arena_clear(&exchange->arena);
    buf_clear(&exchange->body);
    free(exchange);
}

/* Its answer has ended, or its client is gone and somebody wants to know. */
static void exchange_release(struct loop_deferred *deferred) {
    struct http_exchange *exchange =
        (struct http_exchange *)((char *)deferred - offsetof(struct http_exchange, release));
    if (exchange->answer != HTTP_ANSWER_ENDED) {
        if (exchange->on_gone == NULL) {
            return; /* not interested any more: it lives until it is answered */
        }
        exchange->answer = HTTP_ANSWER_ENDED;
        exchange->on_gone(exchange->user);
    }
    exchange_free(exchange);
}

void http_exchange_lose_client(struct http_exchange *exchange) {
    http_exchange_let_go(exchange);
    exchange->http = NULL;
    if (exchange->on_gone != NULL) {
        loop_defer(exchange->loop, &exchange->release);
    }
}

void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *user), void *user) {
    exchange->on_gone = on_gone;
    exchange->user = user;
    if (exchange->http == NULL && on_gone != NULL && exchange->answer != HTTP_ANSWER_ENDED) {
        loop_defer(exchange->loop, &exchange->release);
    }
}

void http_exchange_close_after(struct http_exchange *exchange) {
    exchange->close_after = true;
}

const struct http_request *http_exchange_request(const struct http_exchange *exchange) {
    return &exchange->request;
}

struct arena *http_exchange_arena(struct http_exchange *exchange) {
    return &exchange->arena;
}

struct str http_request_header(const struct http_request *request, const char *name) {
    struct str wanted = str_from(name);
    for (size_t i = 0; i < request->header_count; i++) {
        if (str_equal_nocase(request->headers[i].name, wanted)) {
            return request->headers[i].value;
        }
    }
    return STR("");
}

const char *http_exchange_peer(const struct http_exchange *exchange) {
    return exchange->http != NULL ? conn_peer(exchange->http->conn) : "";
}

size_t http_exchange_unsent(const struct http_exchange *exchange) {
    return exchange->http != NULL ? conn_unsent(exchange->http->conn) : 0;
}
