#include "net/http_reading.h"

#include "net/address_book.h"

#include <string.h>

enum {
    /* A body of announced length is given its room at once up to this; beyond, room grows with what really arrives. */
    BODY_FIRST_BYTES = 16 * 1024,
    /* Smaller ones that came with their heads are nobody's: there can be only as many as are answered at a time. */
    BODY_SHARE_BYTES = 16 * 1024,
};

static void http_reading_stop_asking(struct http_conn *http) {
    if (http->asked_bytes > 0) {
        address_place_give(http->exchange->place, http->asked_bytes);
        http->asked_bytes = 0;
    }
}

static void http_reading_give_room(struct http_conn *http) {
    http_room_give(&http->host->room, http->share, http->held);
    http->held = 0;
}

void http_reading_drop_exchange(struct http_conn *http) {
    http_reading_stop_asking(http);
    http_reading_give_room(http);
    http_share_release(&http->host->room, http->share);
    http->share = NULL;
    http->exchange = NULL;
}

void http_reading_refuse(struct http_conn *http, int status, const char *why) {
    if (http->exchange == NULL) {
        http->exchange = http_exchange_new(&http->host->exchanges, http->conn, http);
    }
    http_reading_stop_asking(http);
    http->exchange->close_after = true;
    http->state = HTTP_CONN_REFUSING;
    http_upload_end(&http->host->uploads, &http->upload);
    http->rest.len = 0;
    buf_clear(&http->early);
    http->host->events->on_refused(http->host->context, http->exchange, status, why);
}

static void http_reading_refuse_room(struct http_conn *http) {
    http_reading_refuse(http, 503, "there are too many request bodies at the moment");
}

static void http_reading_refuse_share(struct http_conn *http) {
    http_reading_refuse(http, 429, "your account sends too many request bodies at once");
}

/* To be asked before `len` bytes of a body are kept: false, and it is refused, when all connections together or those
 * of its owner keep too many. The memory of an upload that has overstayed is free as soon as it is refused. */
static bool http_reading_hold(struct http_conn *http, size_t len) {
    struct http_conn_host *host = http->host;
    enum http_hold hold;
    while ((hold = http_room_hold(&host->room, http->share, len)) == HTTP_ROOM_FULL) {
        struct http_upload *oldest =
            http_uploads_overstayed(&host->uploads, &host->config.body_pace, loop_now_ms(http->loop));
        if (oldest == NULL || oldest == &http->upload) {
            http_reading_refuse_room(http);
            return false;
        }
        http_reading_refuse_room((struct http_conn *)((char *)oldest - offsetof(struct http_conn, upload)));
    }
    if (hold == HTTP_SHARE_FULL) {
        http_reading_refuse_share(http);
        return false;
    }
    http->held += len;
    return true;
}

static void http_reading_begin_upload(struct http_conn *http, enum http_conn_state state) {
    struct http_conn_host *host = http->host;
    http->state = state;
    deadline_set(loop_deadlines(http->loop), &http->deadline,
                 http_upload_begin(&host->uploads, &http->upload, &host->config.body_pace, loop_now_ms(http->loop)));
}

static void http_reading_upload_moved(struct http_conn *http, size_t bytes) {
    if (!http->admitted) {
        return; /* it has not begun: these bytes came with the head */
    }
    const unsigned late_ms =
        http_upload_moved(&http->upload, &http->host->config.body_pace, bytes, loop_now_ms(http->loop));
    if (late_ms > 0) {
        deadline_set(loop_deadlines(http->loop), &http->deadline, late_ms);
    }
}

static void http_reading_dispatch(struct http_conn *http) {
    http->state = HTTP_CONN_ANSWERING;
    http_upload_end(&http->host->uploads, &http->upload);
    http->host->events->on_request(http->host->context, http->exchange);
}

static void use(struct http_conn *http, size_t len) {
    http->rest.data += len;
    http->rest.len -= len;
}

/* --- Whether the body may come --- */

/* By its announced size, and by what the client expects first (RFC 9110 10.1.1). */
static int http_reading_check_body(const struct http_conn *http, const char **why) {
    const struct http_exchange *exchange = http->exchange;
    if (exchange->request.content_length > http->host->config.body_bytes) {
        *why = "the request body is too large";
        return 413;
    }
    struct str expect = http_request_header(&exchange->request, "expect");
    if (expect.len == 0 || exchange->request.http_1_0 || str_equal_nocase(expect, STR("100-continue"))) {
        return 0;
    }
    *why = "the expectation is unknown";
    return 417;
}

/* The client waits for a word before it sends the body. */
static void http_reading_say_continue(struct http_conn *http) {
    const struct http_exchange *exchange = http->exchange;
    if (http->rest.len == 0 && http->early.len == 0 && exchange->body.len == 0 && !exchange->request.http_1_0 &&
        http_request_header(&exchange->request, "expect").len > 0) {
        conn_write(http->conn, STR("HTTP/1.1 100 Continue\r\n\r\n"));
    }
}

void http_reading_admit(struct http_conn *http, bool keep_body) {
    struct http_exchange *exchange = http->exchange;
    const bool chunked = exchange->request.chunked;
    if (http->state != HTTP_CONN_ASKING) {
        return;
    }
    http_reading_stop_asking(http);
    http_reading_say_continue(http);
    exchange->close_after = !exchange->request.keep_alive;
    http->admitted = true;
    http->body_kept = keep_body;
    if (!keep_body) {
        buf_clear(&exchange->body);
        http_reading_give_room(http);
    } else if (!chunked) {
        const size_t length = exchange->request.content_length;
        buf_reserve(&exchange->body, length < BODY_FIRST_BYTES ? length : BODY_FIRST_BYTES);
    }
    http_reading_begin_upload(http, chunked ? HTTP_CONN_CHUNKED : HTTP_CONN_LENGTH);
    if (!http->processing) {
        loop_defer(http->loop, &http->proceed);
    }
}

bool http_reading_own(struct http_conn *http, uint64_t owner) {
    struct http_room *room = &http->host->room;
    conn_prove(http->conn);
    if (http->share != NULL || (http->state != HTTP_CONN_ASKING && http->held <= BODY_SHARE_BYTES)) {
        return true;
    }
    struct http_share *share = http_room_share(room, owner);
    if (http_room_assign(room, share, http->held) != HTTP_HELD) {
        http_share_release(room, share);
        return false;
    }
    http->share = share;
    return true;
}

bool http_reading_count_asked(struct http_conn *http) {
    const struct http_exchange *exchange = http->exchange;
    const size_t here = http->early.len + exchange->body.len;
    if (http->early.len > http->host->config.pipeline_bytes) {
        return false;
    }
    if (exchange->place == NULL || here <= http->asked_bytes) {
        return true;
    }
    if (!address_place_take(exchange->place, here - http->asked_bytes)) {
        return false;
    }
    http->asked_bytes = here;
    return true;
}

/* The body is not all there: the handler is asked before any more of it is read. What lies here until then counts for
 * the client's address, since nobody knows whose it is. */
static void http_reading_ask(struct http_conn *http) {
    const struct http_conn_host *host = http->host;
    struct http_exchange *exchange = http->exchange;
    const size_t here = http->rest.len + exchange->body.len;
    http->state = HTTP_CONN_ASKING;
    if (host->events->on_head == NULL) {
        http_reading_admit(http, true);
        return;
    }
    if (exchange->place != NULL) {
        if (!address_place_take(exchange->place, here)) {
            http_reading_refuse(http, 429,
                                "too many request bodies from your address wait for their keys to be checked");
            return;
        }
        http->asked_bytes = here;
    }
    exchange->close_after = true; /* what is refused now leaves a body behind that nobody reads */
    host->events->on_head(host->context, exchange);
}

/* The head is whole and good: reads the body, at once if it is there already. */
static void http_reading_begin_body(struct http_conn *http, struct str body_here) {
    struct http_exchange *exchange = http->exchange;
    const char *why = NULL;
    int status = http_reading_check_body(http, &why);
    http->admitted = false;
    http->body_kept = true;
    http->body_read = 0;
    if (status != 0) {
        http_reading_refuse(http, status, why);
    } else if (exchange->request.chunked) {
        http_chunks_init(&exchange->chunks);
        http->state = HTTP_CONN_CHUNKED;
    } else if (body_here.len < exchange->request.content_length) {
        http_reading_ask(http);
    } else if (http_reading_hold(http, body_here.len)) {
        exchange->request.body = body_here;
        use(http, body_here.len);
        http_reading_dispatch(http);
    }
}

/* --- Heads --- */

/* Of the lines of that name the last: a proxy adds its own behind those that its client sent. */
static struct str last_header(const struct http_request *request, struct str name) {
    for (size_t i = request->header_count; i > 0; i--) {
        if (str_equal_nocase(request->headers[i - 1].name, name)) {
            return request->headers[i - 1].value;
        }
    }
    return STR("");
}

/* Whose address the request is counted for. */
static void http_reading_place(const struct http_conn *http) {
    struct address_book *book = http->host->addresses;
    struct http_exchange *exchange = http->exchange;
    struct sockaddr_storage address;
    if (book == NULL || !conn_is_proxied(http->conn)) {
        return;
    }
    const struct str forwarded = last_header(&exchange->request, STR("X-Forwarded-For"));
    if (address_book_forwarded(book, forwarded, &address, exchange->forwarded)) {
        exchange->place = address_book_hold(book, (const struct sockaddr *)&address);
    } else {
        exchange->forwarded[0] = '\0';
    }
}

/* The length of the body as far as it lies complete behind the head, so that head and body are copied in one go. */
static size_t peek_body_length(struct http_exchange *exchange, struct str after_head) {
    return !exchange->request.chunked && exchange->request.content_length <= after_head.len
               ? exchange->request.content_length
               : 0;
}

static bool http_reading_take_head(struct http_conn *http, size_t head_len) {
    struct str head = {.data = http->rest.data, .len = head_len};
    const char *why = NULL;
    int status = http_guard_status(http_guard_check_head(head, &http->host->config.head_limits, &why));
    if (status == 0) {
        http->exchange = http_exchange_new(&http->host->exchanges, http->conn, http);
        head = arena_copy(&http->exchange->arena, head); /* never over the limit: that is larger than any head */
        status = http_request_parse(&http->exchange->request, &http->exchange->arena, head, &why);
        http->exchange->close_after = !http->exchange->request.keep_alive;
        http_reading_place(http);
    }
    use(http, head_len);
    http->scanned = 0;
    http->head_started = false;
    if (status != 0) {
        http_reading_refuse(http, status, why);
        return false;
    }
    size_t here = peek_body_length(http->exchange, http->rest);
    struct str body = {.data = http->rest.data, .len = here};
    if (here > 0 && here <= http->host->config.body_bytes) {
        body = arena_copy(&http->exchange->arena, body);
    }
    http_reading_begin_body(http, body);
    return true;
}

static bool http_reading_head(struct http_conn *http) {
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
        return http_reading_take_head(http, head_len);
    }
    if (bare_lf) {
        http_reading_refuse(http, 400, "a line does not end in CR LF");
        return false;
    }
    if (http->rest.len > limits->head_bytes) {
        bool in_url = memchr(http->rest.data, '\n', http->rest.len) == NULL;
        http_reading_refuse(http, in_url ? 414 : 431, in_url ? "the URL is too long" : "the request head is too large");
        return false;
    }
    http->scanned = http->rest.len;
    if (!http->head_started) {
        http->head_started = true;
        deadline_set(loop_deadlines(http->loop), &http->deadline, http->host->config.head_timeout_ms);
    }
    return false;
}

/* --- Bodies --- */

/* False: it is refused. What the handler does not want to have is counted only. */
static bool http_reading_keep(struct http_conn *http, struct str piece) {
    struct http_exchange *exchange = http->exchange;
    if (http->body_kept) {
        if (!http_reading_hold(http, piece.len)) {
            return false;
        }
        buf_append_str(&exchange->body, piece); /* within its limit: that was looked at before */
    }
    http->body_read += piece.len;
    http_reading_upload_moved(http, piece.len);
    return true;
}

static void http_reading_end_body(struct http_conn *http) {
    http->exchange->request.body = buf_str(&http->exchange->body);
    http_reading_dispatch(http);
}

static bool http_reading_length(struct http_conn *http) {
    size_t missing = http->exchange->request.content_length - http->body_read;
    struct str piece = {.data = http->rest.data, .len = http->rest.len < missing ? http->rest.len : missing};
    if (!http_reading_keep(http, piece)) {
        return false;
    }
    use(http, piece.len);
    if (piece.len < missing) {
        return false;
    }
    http_reading_end_body(http);
    return true;
}

static bool http_reading_chunked(struct http_conn *http) {
    struct http_exchange *exchange = http->exchange;
    const size_t limit = http->host->config.body_bytes;
    bool done = false;
    while (!done && http->rest.len > 0) {
        size_t used;
        struct str payload;
        if (!http_chunks_next(&exchange->chunks, http->rest, &used, &payload, &done)) {
            http_reading_refuse(http, 400, "the chunked body is malformed");
            return false;
        }
        if (exchange->chunks.remaining > limit || payload.len > limit - http->body_read) {
            http_reading_refuse(http, 413, "the request body is too large");
            return false;
        }
        if (!http_reading_keep(http, payload)) {
            return false;
        }
        use(http, used);
    }
    if (done) {
        http_reading_end_body(http);
    } else if (!http->admitted) {
        http_reading_ask(http);
    }
    return done;
}

bool http_reading_step(struct http_conn *http) {
    switch (http->state) {
    case HTTP_CONN_HEAD:
        /* Answers that are not read pile up: no further ones until they are. */
        return !conn_is_behind(http->conn) && http_reading_head(http);
    case HTTP_CONN_LENGTH:
        return http_reading_length(http);
    case HTTP_CONN_CHUNKED:
        return http_reading_chunked(http);
    case HTTP_CONN_REFUSING:
    case HTTP_CONN_CLOSING:
    case HTTP_CONN_GONE:
        http->rest.len = 0;
        return false;
    case HTTP_CONN_ASKING:
    case HTTP_CONN_ANSWERING:
    case HTTP_CONN_UPGRADED:
        return false;
    }
    return false;
}
