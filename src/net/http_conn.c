/* One HTTP connection: cuts the bytes that arrive into requests, and keeps their answers in order by handing out one
 * at a time. An idle connection holds no buffer. */
#include "net/http_conn.h"

#include "base/mem.h"
#include "net/http_parse.h"
#include "net/http_state.h"

#include <stdlib.h>
#include <string.h>

/* A body of announced length is given its room at once up to this; beyond, room grows with what really arrives. */
enum { HTTP_BODY_FIRST_BYTES = 16 * 1024 };

static void http_conn_process(struct http_conn *http);

static void http_conn_refuse(struct http_conn *http, int status, const char *why) {
    if (http->exchange == NULL) {
        http->exchange = http_exchange_new(http);
    }
    http->exchange->close_after = true;
    http->state = HTTP_CONN_REFUSING;
    http->rest.len = 0;
    buf_clear(&http->early);
    http->server->events->on_refused(http->server->context, http->exchange, status, why);
}

static void http_conn_refuse_body(struct http_conn *http) {
    http_conn_refuse(http, 503, "there are too many request bodies at the moment");
}

static void http_conn_dispatch(struct http_conn *http) {
    http->state = HTTP_CONN_ANSWERING;
    http->server->events->on_request(http->server->context, http->exchange);
}

static void use(struct http_conn *http, size_t len) {
    http->rest.data += len;
    http->rest.len -= len;
}

static int verdict_status(enum http_guard_verdict verdict) {
    switch (verdict) {
    case HTTP_GUARD_OK:
        return 0;
    case HTTP_GUARD_BAD:
        return 400;
    case HTTP_GUARD_TOO_LARGE:
        return 431;
    case HTTP_GUARD_URI_LONG:
        return 414;
    case HTTP_GUARD_NOT_IMPLEMENTED:
        return 501;
    case HTTP_GUARD_VERSION:
        return 505;
    }
    return 400;
}

/* Whether the body may come: its announced size, and what the client expects first (RFC 9110 10.1.1). */
static int http_conn_admit_body(struct http_conn *http, const char **why) {
    struct http_exchange *exchange = http->exchange;
    if (exchange->content_length > http->server->config.body_bytes) {
        *why = "the request body is too large";
        return 413;
    }
    struct str expect = http_request_header(&exchange->request, "expect");
    if (expect.len == 0 || exchange->request.http_1_0) {
        return 0;
    }
    if (!str_equal_nocase(expect, STR("100-continue"))) {
        *why = "the expectation is unknown";
        return 417;
    }
    if (http->rest.len == 0 && (exchange->content_length > 0 || exchange->chunked_request)) {
        conn_write(http->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
    return 0;
}

/* The head is whole and good: reads the body, at once if it is there already. */
static void http_conn_begin_body(struct http_conn *http, struct str body_here) {
    struct http_exchange *exchange = http->exchange;
    const char *why = NULL;
    int status = http_conn_admit_body(http, &why);
    if (status != 0) {
        http_conn_refuse(http, status, why);
    } else if (exchange->chunked_request) {
        http_chunks_init(&exchange->chunks);
        http->state = HTTP_CONN_CHUNKED;
        deadline_set(loop_deadlines(http->loop), &http->deadline, http->server->config.body_timeout_ms);
    } else if (!http_exchange_hold(exchange, body_here.len)) {
        http_conn_refuse_body(http);
    } else if (body_here.len == exchange->content_length) {
        exchange->request.body = body_here;
        use(http, body_here.len);
        http_conn_dispatch(http);
    } else {
        size_t first =
            exchange->content_length < HTTP_BODY_FIRST_BYTES ? exchange->content_length : HTTP_BODY_FIRST_BYTES;
        buf_reserve(&exchange->body, first);
        http->state = HTTP_CONN_LENGTH;
        deadline_set(loop_deadlines(http->loop), &http->deadline, http->server->config.body_timeout_ms);
    }
}

/* The length of the body as far as it lies complete behind the head, so that head and body are copied in one go. */
static size_t peek_body_length(struct http_exchange *exchange, struct str after_head) {
    return !exchange->chunked_request && exchange->content_length <= after_head.len ? exchange->content_length : 0;
}

static bool http_conn_take_head(struct http_conn *http, size_t head_len) {
    struct str head = {.data = http->rest.data, .len = head_len};
    const char *why = NULL;
    int status = verdict_status(http_guard_check_head(head, &http->server->config.head_limits, &why));
    if (status == 0) {
        http->exchange = http_exchange_new(http);
        head = arena_copy(&http->exchange->arena, head); /* never over the limit: that is larger than any head */
        status = http_parse_head(http->exchange, head, &why);
    }
    use(http, head_len);
    http->scanned = 0;
    http->head_started = false;
    if (status != 0) {
        http_conn_refuse(http, status, why);
        return false;
    }
    size_t here = peek_body_length(http->exchange, http->rest);
    struct str body = {.data = http->rest.data, .len = here};
    if (here > 0 && here <= http->server->config.body_bytes) {
        body = arena_copy(&http->exchange->arena, body);
    }
    http_conn_begin_body(http, body);
    return true;
}

/* Each step uses some of `rest`, or returns false when it needs more bytes or an answer first. */
static bool http_conn_read_head(struct http_conn *http) {
    const struct http_guard_limits *limits = &http->server->config.head_limits;
    while (http->scanned == 0 && http->rest.len >= 2 && memcmp(http->rest.data, "\r\n", 2) == 0) {
        use(http, 2); /* RFC 9112 2.2: empty lines before a request are ignored */
    }
    if (http->rest.len == 0 || (http->rest.len == 1 && http->rest.data[0] == '\r')) {
        return false;
    }
    bool bare_lf;
    size_t head_len = http_guard_find_end(http->rest, http->scanned, &bare_lf);
    if (head_len > 0) {
        return http_conn_take_head(http, head_len);
    }
    if (bare_lf) {
        http_conn_refuse(http, 400, "a line does not end in CR LF");
        return false;
    }
    if (http->rest.len > limits->head_bytes) {
        bool in_url = memchr(http->rest.data, '\n', http->rest.len) == NULL;
        http_conn_refuse(http, in_url ? 414 : 431, in_url ? "the URL is too long" : "the request head is too large");
        return false;
    }
    http->scanned = http->rest.len;
    if (!http->head_started) {
        http->head_started = true;
        deadline_set(loop_deadlines(http->loop), &http->deadline, http->server->config.head_timeout_ms);
    }
    return false;
}

static bool http_conn_read_length(struct http_conn *http) {
    struct http_exchange *exchange = http->exchange;
    size_t missing = exchange->content_length - exchange->body.len;
    struct str piece = {.data = http->rest.data, .len = http->rest.len < missing ? http->rest.len : missing};
    if (!http_exchange_hold(exchange, piece.len)) {
        http_conn_refuse_body(http);
        return false;
    }
    buf_append_str(&exchange->body, piece);
    use(http, piece.len);
    if (piece.len < missing) {
        return false;
    }
    exchange->request.body = buf_str(&exchange->body);
    http_conn_dispatch(http);
    return true;
}

static bool http_conn_read_chunked(struct http_conn *http) {
    struct http_exchange *exchange = http->exchange;
    bool done = false;
    while (!done && http->rest.len > 0) {
        size_t used;
        struct str payload;
        if (!http_chunks_next(&exchange->chunks, http->rest, &used, &payload, &done)) {
            http_conn_refuse(http, 400, "the chunked body is malformed");
            return false;
        }
        if (exchange->chunks.remaining > exchange->body.limit || !buf_append_str(&exchange->body, payload)) {
            http_conn_refuse(http, 413, "the request body is too large");
            return false;
        }
        if (!http_exchange_hold(exchange, payload.len)) {
            http_conn_refuse_body(http);
            return false;
        }
        use(http, used);
    }
    if (!done) {
        return false;
    }
    exchange->request.body = buf_str(&exchange->body);
    http_conn_dispatch(http);
    return true;
}

static bool http_conn_step(struct http_conn *http) {
    switch (http->state) {
    case HTTP_CONN_HEAD:
        /* Answers that are not read pile up: no further ones until they are. */
        return !conn_is_behind(http->conn) && http_conn_read_head(http);
    case HTTP_CONN_LENGTH:
        return http_conn_read_length(http);
    case HTTP_CONN_CHUNKED:
        return http_conn_read_chunked(http);
    case HTTP_CONN_REFUSING:
    case HTTP_CONN_CLOSING:
    case HTTP_CONN_GONE:
        http->rest.len = 0;
        return false;
    case HTTP_CONN_ANSWERING:
    case HTTP_CONN_UPGRADED:
        return false;
    }
    return false;
}

static void http_conn_close(struct http_conn *http) {
    http->state = HTTP_CONN_CLOSING;
    deadline_clear(&http->deadline);
    conn_close(http->conn, HTTP_LINGER_MS);
}

void http_conn_close_if_idle(struct http_conn *http) {
    if (http->state == HTTP_CONN_HEAD && http->early.len == 0 && !http->processing) {
        http_conn_close(http);
    }
}

/* Keeps what `rest` still holds for the next turn; with nothing left, no memory is held. */
static void http_conn_keep_rest(struct http_conn *http) {
    if (http->state == HTTP_CONN_UPGRADED) {
        return; /* http_upgrade has dealt with it */
    }
    bool kept = http->early.len > 0;
    if (http->rest.len == 0) {
        buf_clear(&http->early);
    } else if (kept) {
        buf_consume(&http->early, http->early.len - http->rest.len);
    } else {
        buf_append_str(&http->early, http->rest);
    }
    http->rest = (struct str){0};
    bool full = http->state == HTTP_CONN_ANSWERING && http->early.len > http->server->config.pipeline_bytes;
    bool behind = http->state == HTTP_CONN_HEAD && conn_is_behind(http->conn);
    if (full || behind) {
        conn_read_pause(http->conn);
    } else {
        conn_read_resume(http->conn);
    }
    if (http->server->draining) {
        http_conn_close_if_idle(http);
    }
}

static void http_conn_process(struct http_conn *http) {
    http->processing = true;
    while (http_conn_step(http)) {
    }
    http->processing = false;
    http_conn_keep_rest(http);
}

static void http_conn_on_data(void *context, struct str data) {
    struct http_conn *http = context;
    http->rest = data;
    if (http->early.len > 0) {
        buf_append_str(&http->early, data);
        http->rest = buf_str(&http->early);
    }
    http_conn_process(http);
}

static void http_conn_on_drain(void *context) {
    struct http_conn *http = context;
    loop_defer(http->loop, &http->proceed);
}

static void http_conn_proceed(struct loop_deferred *deferred) {
    struct http_conn *http = (struct http_conn *)((char *)deferred - offsetof(struct http_conn, proceed));
    if (http->state == HTTP_CONN_UPGRADED) {
        http->state = HTTP_CONN_GONE;
        loop_defer_last(http->loop, &http->proceed);
    } else if (http->state == HTTP_CONN_GONE) {
        buf_clear(&http->early);
        free(http);
    } else if (http->state == HTTP_CONN_HEAD) {
        http->rest = buf_str(&http->early);
        http_conn_process(http);
    }
}

void http_conn_answered(struct http_conn *http, bool close) {
    http->exchange = NULL;
    if (close || http->server->draining) {
        http_conn_close(http);
        return;
    }
    http->state = HTTP_CONN_HEAD;
    deadline_set(loop_deadlines(http->loop), &http->deadline, http->server->config.idle_timeout_ms);
    if (!http->processing && http->early.len > 0) {
        loop_defer(http->loop, &http->proceed);
    }
}

static void http_conn_expired(struct deadline *deadline) {
    struct http_conn *http = (struct http_conn *)((char *)deadline - offsetof(struct http_conn, deadline));
    switch (http->state) {
    case HTTP_CONN_HEAD:
        if (http->head_started) {
            http_conn_refuse(http, 408, "the request head took too long");
        } else {
            http_conn_close(http);
        }
        break;
    case HTTP_CONN_LENGTH:
    case HTTP_CONN_CHUNKED:
        http_conn_refuse(http, 408, "the request body took too long");
        break;
    case HTTP_CONN_ANSWERING:
    case HTTP_CONN_REFUSING:
    case HTTP_CONN_CLOSING:
    case HTTP_CONN_UPGRADED:
    case HTTP_CONN_GONE:
        break; /* a deadline of the past request */
    }
}

/* Its memory goes at the end of this turn. */
static void http_conn_leave_server(struct http_conn *http) {
    deadline_remove(loop_deadlines(http->loop), &http->deadline);
    http_server_forget(http->server, http);
    http->server = NULL;
    loop_defer(http->loop, &http->proceed);
}

static void http_conn_on_close(void *context, const struct err *reason) {
    (void)reason;
    struct http_conn *http = context;
    struct http_exchange *exchange = http->exchange;
    bool answering = http->state == HTTP_CONN_ANSWERING || http->state == HTTP_CONN_REFUSING;
    http->state = HTTP_CONN_GONE;
    http->exchange = NULL;
    if (exchange != NULL && answering) {
        http_exchange_lose_client(exchange);
    } else if (exchange != NULL) {
        http_exchange_let_go(exchange);
        exchange->http = NULL; /* no handler has seen it */
        http_exchange_end(exchange);
    }
    http_conn_leave_server(http);
}

static const struct conn_events HTTP_CONN_EVENTS = {
    .on_data = http_conn_on_data,
    .on_close = http_conn_on_close,
    .on_drain = http_conn_on_drain,
};

void http_conn_accept(void *context, struct conn *conn) {
    struct http_server *server = context;
    struct http_conn *http = MEM_NEW(struct http_conn);
    http->server = server;
    http->loop = server->loop;
    http->conn = conn;
    http->deadline.expired = http_conn_expired;
    http->proceed.run = http_conn_proceed;
    buf_init(&http->early, SIZE_MAX); /* bounded by pausing, and by the limits of a head */
    http->next = server->conns;
    if (http->next != NULL) {
        http->next->previous = http;
    }
    server->conns = http;
    server->conn_count++;
    conn_set_events(conn, &HTTP_CONN_EVENTS, http);
    deadline_set(loop_deadlines(server->loop), &http->deadline, server->config.idle_timeout_ms);
}

struct conn *http_conn_upgrade(struct http_conn *http, struct str *early) {
    if (http->early.len == 0) {
        buf_append_str(&http->early, http->rest); /* out of the read buffer */
        http->rest = buf_str(&http->early);
    }
    *early = http->rest;
    http->state = HTTP_CONN_UPGRADED;
    http_exchange_let_go(http->exchange);
    http->exchange = NULL;
    http_conn_leave_server(http);
    return http->conn;
}
