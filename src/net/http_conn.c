#include "net/http_conn.h"

#include "base/mem.h"
#include "net/deadline.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    /* A body of announced length is given its room at once up to this; beyond, room grows with what really arrives. */
    BODY_FIRST_BYTES = 16 * 1024,
    LINGER_MS = 2000, /* how long a client may take to read our last answer and close (conn_close) */
};

enum http_conn_state {
    HTTP_CONN_HEAD,      /* waiting for a whole request head, perhaps with no byte of it yet */
    HTTP_CONN_LENGTH,    /* reading a body of known length */
    HTTP_CONN_CHUNKED,   /* reading a chunked body */
    HTTP_CONN_ANSWERING, /* the handler has the exchange; what comes early is kept */
    HTTP_CONN_REFUSING,  /* the handler answers a refusal; what comes is dropped */
    HTTP_CONN_CLOSING,   /* conn_close was called */
    HTTP_CONN_UPGRADED,  /* the connection is somebody else's; memory lives to the end of this iteration */
    HTTP_CONN_GONE,      /* on_close was called; memory lives to the end of this iteration */
};

struct http_conn {
    struct http_conn_host *host; /* NULL once upgraded or gone */
    struct loop *loop;
    struct conn *conn;
    struct http_conn *prev, *next;
    struct http_exchange *exchange; /* being read or answered; NULL between requests */
    struct http_upload upload;      /* of its body, while that is not all there */
    size_t held;                    /* bytes of its body that count in the host's bodies_held */
    struct str rest;                /* during http_conn_process: bytes not used yet, in the read buffer or in `early` */
    /* bytes kept from one iteration to the next: an incomplete head, or requests sent ahead */
    struct buf early;
    size_t scanned; /* bytes of an incomplete head known not to hold its end */
    struct deadline deadline;
    struct loop_deferred proceed; /* end of the iteration: go on with what came early, or free */
    enum http_conn_state state;
    bool processing, head_started;
};

static void http_conn_process(struct http_conn *http);

/* The exchange is on its own from now on, and the bytes of its body count no more. */
static void http_conn_drop_exchange(struct http_conn *http) {
    http->exchange = NULL;
    http->host->bodies_held -= http->held;
    http->held = 0;
}

static void http_conn_refuse(struct http_conn *http, int status, const char *why) {
    if (http->exchange == NULL) {
        http->exchange = http_exchange_new(&http->host->exchanges, http->conn, http);
    }
    http->exchange->close_after = true;
    http->state = HTTP_CONN_REFUSING;
    http_upload_end(&http->host->uploads, &http->upload);
    http->rest.len = 0;
    buf_clear(&http->early);
    http->host->events->on_refused(http->host->context, http->exchange, status, why);
}

static void http_conn_refuse_body(struct http_conn *http) {
    http_conn_refuse(http, 503, "there are too many request bodies at the moment");
}

/* To be asked before `len` bytes of a body are kept: false when all connections together keep too many. The memory of
 * an upload that has overstayed is free as soon as it is refused. */
static bool http_conn_hold(struct http_conn *http, size_t len) {
    struct http_conn_host *host = http->host;
    size_t limit = host->config.bodies_bytes;
    while (limit > 0 && len > limit - host->bodies_held) {
        struct http_upload *oldest =
            http_uploads_overstayed(&host->uploads, &host->config.body_pace, loop_now_ms(http->loop));
        if (oldest == NULL || oldest == &http->upload) {
            return false;
        }
        http_conn_refuse_body((struct http_conn *)((char *)oldest - offsetof(struct http_conn, upload)));
    }
    host->bodies_held += len;
    http->held += len;
    return true;
}

static void http_conn_begin_upload(struct http_conn *http, enum http_conn_state state) {
    struct http_conn_host *host = http->host;
    http->state = state;
    deadline_set(loop_deadlines(http->loop), &http->deadline,
                 http_upload_begin(&host->uploads, &http->upload, &host->config.body_pace, loop_now_ms(http->loop)));
}

static void http_conn_upload_moved(struct http_conn *http, size_t bytes) {
    const unsigned late_ms =
        http_upload_moved(&http->upload, &http->host->config.body_pace, bytes, loop_now_ms(http->loop));
    if (late_ms > 0) {
        deadline_set(loop_deadlines(http->loop), &http->deadline, late_ms);
    }
}

static void http_conn_dispatch(struct http_conn *http) {
    http->state = HTTP_CONN_ANSWERING;
    http_upload_end(&http->host->uploads, &http->upload);
    http->host->events->on_request(http->host->context, http->exchange);
}

static void use(struct http_conn *http, size_t len) {
    http->rest.data += len;
    http->rest.len -= len;
}

/* Whether the body may come: its announced size, and what the client expects first (RFC 9110 10.1.1). */
static int http_conn_admit_body(struct http_conn *http, const char **why) {
    struct http_exchange *exchange = http->exchange;
    if (exchange->request.content_length > http->host->config.body_bytes) {
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
    if (http->rest.len == 0 && (exchange->request.content_length > 0 || exchange->request.chunked)) {
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
    } else if (exchange->request.chunked) {
        http_chunks_init(&exchange->chunks);
        http_conn_begin_upload(http, HTTP_CONN_CHUNKED);
    } else if (!http_conn_hold(http, body_here.len)) {
        http_conn_refuse_body(http);
    } else if (body_here.len == exchange->request.content_length) {
        exchange->request.body = body_here;
        use(http, body_here.len);
        http_conn_dispatch(http);
    } else {
        size_t first =
            exchange->request.content_length < BODY_FIRST_BYTES ? exchange->request.content_length : BODY_FIRST_BYTES;
        buf_reserve(&exchange->body, first);
        http_conn_begin_upload(http, HTTP_CONN_LENGTH);
    }
}

/* The length of the body as far as it lies complete behind the head, so that head and body are copied in one go. */
static size_t peek_body_length(struct http_exchange *exchange, struct str after_head) {
    return !exchange->request.chunked && exchange->request.content_length <= after_head.len
               ? exchange->request.content_length
               : 0;
}

static bool http_conn_take_head(struct http_conn *http, size_t head_len) {
    struct str head = {.data = http->rest.data, .len = head_len};
    const char *why = NULL;
    int status = http_guard_status(http_guard_check_head(head, &http->host->config.head_limits, &why));
    if (status == 0) {
        http->exchange = http_exchange_new(&http->host->exchanges, http->conn, http);
        head = arena_copy(&http->exchange->arena, head); /* never over the limit: that is larger than any head */
        status = http_request_parse(&http->exchange->request, &http->exchange->arena, head, &why);
        http->exchange->close_after = !http->exchange->request.keep_alive;
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
    if (here > 0 && here <= http->host->config.body_bytes) {
        body = arena_copy(&http->exchange->arena, body);
    }
    http_conn_begin_body(http, body);
    return true;
}

/* Each step uses some of `rest`, or returns false when it needs more bytes or an answer first. */
static bool http_conn_read_head(struct http_conn *http) {
    const struct http_guard_limits *limits = &http->host->config.head_limits;
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
        deadline_set(loop_deadlines(http->loop), &http->deadline, http->host->config.head_timeout_ms);
    }
    return false;
}

static bool http_conn_read_length(struct http_conn *http) {
    struct http_exchange *exchange = http->exchange;
    size_t missing = exchange->request.content_length - exchange->body.len;
    struct str piece = {.data = http->rest.data, .len = http->rest.len < missing ? http->rest.len : missing};
    if (!http_conn_hold(http, piece.len)) {
        http_conn_refuse_body(http);
        return false;
    }
    buf_append_str(&exchange->body, piece);
    use(http, piece.len);
    if (piece.len < missing) {
        http_conn_upload_moved(http, piece.len);
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
        if (!http_conn_hold(http, payload.len)) {
            http_conn_refuse_body(http);
            return false;
        }
        http_conn_upload_moved(http, payload.len);
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
    conn_close(http->conn, LINGER_MS);
}

static void http_conn_close_if_idle(struct http_conn *http) {
    if (http->state == HTTP_CONN_HEAD && http->early.len == 0 && !http->processing) {
        http_conn_close(http);
    }
}

/* Keeps what `rest` still holds for the next iteration; with nothing left, no memory is held. */
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
    bool full = http->state == HTTP_CONN_ANSWERING && http->early.len > http->host->config.pipeline_bytes;
    bool behind = http->state == HTTP_CONN_HEAD && conn_is_behind(http->conn);
    if (full || behind) {
        conn_read_pause(http->conn);
    } else {
        conn_read_resume(http->conn);
    }
    if (http->host->exchanges.draining) {
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

static void http_conn_answered(void *owner, bool close) {
    struct http_conn *http = owner;
    http_conn_drop_exchange(http);
    if (close || http->host->exchanges.draining) {
        http_conn_close(http);
        return;
    }
    http->state = HTTP_CONN_HEAD;
    deadline_set(loop_deadlines(http->loop), &http->deadline, http->host->config.idle_timeout_ms);
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

/* Its memory goes at the end of this iteration. */
static void http_conn_leave(struct http_conn *http) {
    struct http_conn_host *host = http->host;
    http_upload_end(&host->uploads, &http->upload);
    deadline_remove(loop_deadlines(http->loop), &http->deadline);
    DL_DELETE(host->conns, http);
    host->count--;
    host->on_left(host);
    http->host = NULL;
    loop_defer(http->loop, &http->proceed);
}

static void http_conn_on_close(void *context, const struct err *reason) {
    (void)reason;
    struct http_conn *http = context;
    struct http_exchange *exchange = http->exchange;
    bool answering = http->state == HTTP_CONN_ANSWERING || http->state == HTTP_CONN_REFUSING;
    http->state = HTTP_CONN_GONE;
    http_conn_drop_exchange(http);
    if (exchange != NULL && answering) {
        http_exchange_lose_client(exchange);
    } else if (exchange != NULL) {
        exchange->conn = NULL; /* no handler has seen it */
        http_exchange_end(exchange);
    }
    http_conn_leave(http);
}

static struct str http_conn_upgraded(void *owner) {
    struct http_conn *http = owner;
    if (http->early.len == 0) {
        buf_append_str(&http->early, http->rest); /* out of the read buffer */
        http->rest = buf_str(&http->early);
    }
    http->state = HTTP_CONN_UPGRADED;
    http_conn_drop_exchange(http);
    http_conn_leave(http);
    return http->rest;
}

static const struct conn_events HTTP_CONN_EVENTS = {
    .on_data = http_conn_on_data,
    .on_close = http_conn_on_close,
    .on_drain = http_conn_on_drain,
};

void http_conn_open(struct http_conn_host *host, struct conn *conn) {
    struct http_conn *http = MEM_NEW(struct http_conn);
    http->host = host;
    http->loop = host->exchanges.loop;
    http->conn = conn;
    http->deadline.expired = http_conn_expired;
    http->proceed.run = http_conn_proceed;
    buf_init(&http->early, SIZE_MAX); /* bounded by pausing, and by the limits of a head */
    DL_PREPEND(host->conns, http);
    host->count++;
    conn_set_events(conn, &HTTP_CONN_EVENTS, http);
    deadline_set(loop_deadlines(http->loop), &http->deadline, host->config.idle_timeout_ms);
}

/* --- All of a server's --- */

void http_conn_host_init(struct http_conn_host *host, struct loop *loop, const struct http_server_config *config,
                         const struct http_server_events *events, void *context) {
    *host = (struct http_conn_host){.exchanges = {.loop = loop,
                                                  .head_bytes = config->head_limits.head_bytes,
                                                  .body_bytes = config->body_bytes,
                                                  .answered = http_conn_answered,
                                                  .upgraded = http_conn_upgraded},
                                    .config = *config,
                                    .events = events,
                                    .context = context};
}

void http_conn_drain(struct http_conn_host *host) {
    host->exchanges.draining = true;
    struct http_conn *http;
    DL_FOREACH (host->conns, http) {
        http_conn_close_if_idle(http);
    }
}

void http_conn_close_all(struct http_conn_host *host) {
    struct http_conn *http;
    DL_FOREACH (host->conns, http) {
        conn_close(http->conn, 0);
    }
}
