#include "net/http_exchange.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    HEAD_FIXED_BYTES = 256,         /* status line, Date, length or coding, Connection, blank line: at most */
    CHUNK_FRAME_BYTES = 16 + 2 + 2, /* size in hex, CR LF, CR LF */
    DATE_CHECK_MS = 50,
    EXCHANGE_ARENA_EXTRA = 1024 * 1024,
};

/* RFC 9110 15: the status codes this program sends. */
static const struct {
    int status;
    const char *text;
} STATUS_TEXTS[] = {
    {200, "200 OK"},
    {101, "101 Switching Protocols"},
    {201, "201 Created"},
    {202, "202 Accepted"},
    {204, "204 No Content"},
    {304, "304 Not Modified"},
    {400, "400 Bad Request"},
    {401, "401 Unauthorized"},
    {402, "402 Payment Required"},
    {403, "403 Forbidden"},
    {404, "404 Not Found"},
    {405, "405 Method Not Allowed"},
    {408, "408 Request Timeout"},
    {409, "409 Conflict"},
    {410, "410 Gone"},
    {413, "413 Content Too Large"},
    {414, "414 URI Too Long"},
    {415, "415 Unsupported Media Type"},
    {417, "417 Expectation Failed"},
    {422, "422 Unprocessable Content"},
    {426, "426 Upgrade Required"},
    {429, "429 Too Many Requests"},
    {431, "431 Request Header Fields Too Large"},
    {500, "500 Internal Server Error"},
    {501, "501 Not Implemented"},
    {502, "502 Bad Gateway"},
    {503, "503 Service Unavailable"},
    {504, "504 Gateway Timeout"},
    {505, "505 HTTP Version Not Supported"},
};

enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKED };

/* --- Life --- */

static void exchange_release(struct loop_deferred *deferred);

struct http_exchange *http_exchange_new(struct http_exchange_host *host, struct conn *conn, void *owner) {
    struct http_exchange *exchange = MEM_NEW(struct http_exchange);
    exchange->host = host;
    exchange->owner = owner;
    exchange->conn = conn;
    exchange->loop = host->loop;
    exchange->release.run = exchange_release;
    exchange->place = conn_place(conn);
    if (exchange->place != NULL) {
        address_place_hold(exchange->place);
    }
    arena_init(&exchange->arena, 2 * (host->head_bytes + host->body_bytes) + EXCHANGE_ARENA_EXTRA);
    buf_init(&exchange->body, host->body_bytes);
    return exchange;
}

void http_exchange_end(struct http_exchange *exchange) {
    exchange->answer = HTTP_ANSWER_ENDED;
    if (exchange->conn != NULL) {
        exchange->host->answered(exchange->owner, exchange->close_after);
        exchange->conn = NULL;
    }
    loop_defer(exchange->loop, &exchange->release);
}

static void exchange_free(struct http_exchange *exchange) {
    address_place_release(exchange->place, loop_now_ms(exchange->loop));
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
    exchange->conn = NULL;
    if (exchange->on_gone != NULL) {
        loop_defer(exchange->loop, &exchange->release);
    }
}

void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *user), void *user) {
    exchange->on_gone = on_gone;
    exchange->user = user;
    if (exchange->conn == NULL && on_gone != NULL && exchange->answer != HTTP_ANSWER_ENDED) {
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

const char *http_exchange_peer(const struct http_exchange *exchange) {
    if (exchange->conn == NULL) {
        return "";
    }
    return exchange->forwarded[0] != '\0' ? exchange->forwarded : conn_peer(exchange->conn);
}

void http_exchange_set_tag(struct http_exchange *exchange, void *tag) {
    exchange->tag = tag;
}

void *http_exchange_tag(const struct http_exchange *exchange) {
    return exchange->tag;
}

void http_exchange_admit(struct http_exchange *exchange, bool keep_body) {
    if (exchange->conn != NULL && exchange->answer == HTTP_ANSWER_NONE) {
        exchange->host->admitted(exchange->owner, keep_body);
    }
}

bool http_exchange_own(struct http_exchange *exchange, uint64_t owner) {
    return exchange->conn == NULL || exchange->answer != HTTP_ANSWER_NONE ||
           exchange->host->owned(exchange->owner, owner);
}

uint64_t http_exchange_key_wait_ms(const struct http_exchange *exchange) {
    return exchange->place != NULL ? address_place_key_wait_ms(exchange->place, loop_now_ms(exchange->loop)) : 0;
}

void http_exchange_key_failed(struct http_exchange *exchange) {
    if (exchange->place != NULL) {
        address_place_key_failed(exchange->place, loop_now_ms(exchange->loop));
    }
}

size_t http_exchange_unsent(const struct http_exchange *exchange) {
    return exchange->conn != NULL ? conn_unsent(exchange->conn) : 0;
}

/* --- The answer, written straight into the connection's buffer --- */

/* RFC 9110 5.6.7, in English whatever the locale. */
static void format_date(int64_t second, char out[HTTP_DATE_SIZE]) {
    static const char *const DAYS[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    static const char *const MONTHS[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    time_t when = (time_t)second;
    struct tm utc;
    gmtime_r(&when, &utc);
    snprintf(out, HTTP_DATE_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT", DAYS[utc.tm_wday], (unsigned)utc.tm_mday % 100,
             MONTHS[utc.tm_mon], (unsigned)(utc.tm_year + 1900) % 10000, (unsigned)utc.tm_hour % 100,
             (unsigned)utc.tm_min % 100, (unsigned)utc.tm_sec % 100);
}

/* Cached. */
static struct str host_date(struct http_exchange_host *host) {
    uint64_t now = loop_now_ms(host->loop);
    if (host->date[0] == '\0' || now - host->date_checked_ms >= DATE_CHECK_MS) {
        int64_t second = clock_wall_ms() / 1000;
        host->date_checked_ms = now;
        if (second != host->date_second || host->date[0] == '\0') {
            host->date_second = second;
            format_date(second, host->date);
        }
    }
    return (struct str){.data = host->date, .len = HTTP_DATE_LENGTH};
}

static char *put(char *at, struct str s) {
    if (s.len > 0) {
        memcpy(at, s.data, s.len);
    }
    return at + s.len;
}

static char *put_number(char *at, size_t number, unsigned base) {
    char digits[20];
    size_t i = sizeof(digits);
    do {
        digits[--i] = "0123456789abcdef"[number % base];
        number /= base;
    } while (number > 0);
    return put(at, (struct str){.data = digits + i, .len = sizeof(digits) - i});
}

static char *put_status(char *at, int status) {
    for (size_t i = 0; i < COUNT_OF(STATUS_TEXTS); i++) {
        if (STATUS_TEXTS[i].status == status) {
            return put(at, str_from(STATUS_TEXTS[i].text));
        }
    }
    return put(put_number(at, (size_t)status, 10), STR(" Other"));
}

/* A control byte could end the line and begin a header, or a second answer, of somebody else's choice. */
static bool is_plain(struct str s) {
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return true;
}

static char *put_header(char *at, const struct http_response_header *header) {
    struct str name = str_from(header->name);
    if (name.len == 0 || !is_plain(name) || !is_plain(header->value)) {
        return at;
    }
    return put(put(put(put(at, name), STR(": ")), header->value), STR("\r\n"));
}

static size_t headers_bound(const struct http_response_header *headers, size_t count) {
    size_t bound = 0;
    for (size_t i = 0; i < count; i++) {
        bound += strlen(headers[i].name) + headers[i].value.len + 4;
    }
    return bound;
}

static char *put_connection(char *at, const struct http_exchange *exchange) {
    if (exchange->close_after) {
        return put(at, STR("Connection: close\r\n"));
    }
    return exchange->request.http_1_0 ? put(at, STR("Connection: keep-alive\r\n")) : at;
}

/* The whole head, and `body` behind it. `content_length` is what is announced, also where no body follows. */
static void send_head(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                      size_t header_count, enum framing framing, size_t content_length, struct str body) {
    char *start = conn_reserve(exchange->conn, HEAD_FIXED_BYTES + headers_bound(headers, header_count) + body.len);
    if (start == NULL) {
        return;
    }
    char *at = put_status(put(start, STR("HTTP/1.1 ")), status);
    at = put(put(put(at, STR("\r\nDate: ")), host_date(exchange->host)), STR("\r\n"));
    if (framing == FRAMING_LENGTH) {
        at = put(put_number(put(at, STR("Content-Length: ")), content_length, 10), STR("\r\n"));
    } else if (framing == FRAMING_CHUNKED) {
        at = put(at, STR("Transfer-Encoding: chunked\r\n"));
    }
    if (status != 101) {
        at = put_connection(at, exchange);
    }
    for (size_t i = 0; i < header_count; i++) {
        at = put_header(at, &headers[i]);
    }
    at = put(put(at, STR("\r\n")), body);
    conn_commit(exchange->conn, (size_t)(at - start));
}

void http_respond(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                  size_t header_count, struct str body) {
    if (exchange->answer != HTTP_ANSWER_NONE) {
        return;
    }
    if (exchange->conn != NULL) {
        exchange->close_after |= exchange->host->draining;
        bool bodiless = status == 204 || status == 304; /* RFC 9110 6.4.1 */
        struct str sent = exchange->request.head_only || bodiless ? STR("") : body;
        send_head(exchange, status, headers, header_count, bodiless ? FRAMING_NONE : FRAMING_LENGTH, body.len, sent);
    }
    http_exchange_end(exchange);
}

void http_stream_begin(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                       size_t header_count) {
    if (exchange->answer != HTTP_ANSWER_NONE) {
        return;
    }
    exchange->answer = HTTP_ANSWER_STREAMING;
    if (exchange->conn != NULL) {
        exchange->chunked_answer = !exchange->request.http_1_0;
        exchange->close_after |= exchange->host->draining || !exchange->chunked_answer;
        send_head(exchange, status, headers, header_count, exchange->chunked_answer ? FRAMING_CHUNKED : FRAMING_NONE, 0,
                  STR(""));
    }
}

void http_stream_write(struct http_exchange *exchange, struct str data) {
    /* An empty chunk would be the last one. */
    if (exchange->answer != HTTP_ANSWER_STREAMING || exchange->conn == NULL || exchange->request.head_only ||
        data.len == 0) {
        return;
    }
    struct conn *conn = exchange->conn;
    if (!exchange->chunked_answer) {
        conn_write(conn, data);
        return;
    }
    char *start = conn_reserve(conn, CHUNK_FRAME_BYTES + data.len);
    if (start != NULL) {
        char *at = put(put(put(put_number(start, data.len, 16), STR("\r\n")), data), STR("\r\n"));
        conn_commit(conn, (size_t)(at - start));
    }
}

void http_stream_end(struct http_exchange *exchange) {
    if (exchange->answer != HTTP_ANSWER_STREAMING) {
        return;
    }
    if (exchange->conn != NULL && exchange->chunked_answer && !exchange->request.head_only) {
        conn_write(exchange->conn, STR("0\r\n\r\n"));
    }
    http_exchange_end(exchange);
}

void http_stream_abort(struct http_exchange *exchange) {
    if (exchange->answer != HTTP_ANSWER_ENDED) {
        exchange->close_after = true;
        http_exchange_end(exchange);
    }
}

struct conn *http_upgrade(struct http_exchange *exchange, const struct http_response_header *headers,
                          size_t header_count, struct str *early) {
    send_head(exchange, 101, headers, header_count, FRAMING_NONE, 0, STR(""));
    struct conn *conn = exchange->conn;
    *early = exchange->host->upgraded(exchange->owner);
    exchange->conn = NULL;
    http_exchange_end(exchange);
    return conn;
}
