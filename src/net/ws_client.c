/* The client's half of the opening handshake (RFC 6455 4.1): connect, ask, judge the answer. */
#include "net/ws_client.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"
#include "net/connect.h"
#include "net/http_guard.h"
#include "net/ws_url.h"

#include <stdlib.h>
#include <string.h>

enum { RESPONSE_HEAD_MAX = 8 * 1024, KEY_BYTES = 16, KEY_SIZE = 25, ACCEPT_SIZE = 29, REQUEST_MAX = 4 * 1024 };

enum ws_attempt_state {
    WS_ATTEMPT_CONNECTING,
    WS_ATTEMPT_ASKED, /* the request is out; the connection's events are ours */
    WS_ATTEMPT_OVER,  /* on_open was called or cancelled; the attempt waits for its connection's end */
};

struct ws_attempt {
    enum ws_attempt_state state;
    struct conn_attempt *connecting;
    struct conn *conn;
    struct loop_timer *timer;
    struct ws_url url;
    char *protocol; /* NULL: none */
    char accept[ACCEPT_SIZE];
    struct buf head;
    size_t max_message;
    const struct ws_conn_events *events;
    void (*on_open)(void *context, struct ws_conn *conn, const struct err *reason);
    void *context;
};

static void attempt_free(struct ws_attempt *attempt) {
    loop_timer_free(attempt->timer);
    buf_clear(&attempt->head);
    free(attempt->protocol);
    free(attempt);
}

/* No more callbacks to the owner; frees the attempt now or when its connection has ended. */
static void attempt_end(struct ws_attempt *attempt) {
    attempt->state = WS_ATTEMPT_OVER;
    loop_timer_stop(attempt->timer);
    if (attempt->connecting) {
        conn_connect_cancel(attempt->connecting);
    }
    if (attempt->conn) {
        conn_abort(attempt->conn);
    } else {
        attempt_free(attempt);
    }
}

static void attempt_fail(struct ws_attempt *attempt, const struct err *reason) {
    void (*on_open)(void *context, struct ws_conn *conn, const struct err *err) = attempt->on_open;
    void *context = attempt->context;
    attempt_end(attempt);
    on_open(context, NULL, reason);
}

struct response {
    struct str status; /* three digits */
    struct str upgrade, connection, accept, protocol, extensions;
};

static bool read_status_line(struct str line, struct response *response, struct err *err) {
    struct str version;
    struct str rest;
    if (!str_split(line, ' ', &version, &rest) || !str_equal_cstr(version, "HTTP/1.1") || rest.len < 3 ||
        (rest.len > 3 && rest.data[3] != ' ')) {
        return err_set(err, ERR_INVALID, "the server did not answer in HTTP/1.1");
    }
    response->status = (struct str){rest.data, 3};
    return true;
}

static bool read_header_line(struct str line, struct response *response, struct err *err) {
    const struct {
        const char *name;
        struct str *value;
    } wanted[] = {
        {"Upgrade", &response->upgrade},
        {"Connection", &response->connection},
        {"Sec-WebSocket-Accept", &response->accept},
        {"Sec-WebSocket-Protocol", &response->protocol},
        {"Sec-WebSocket-Extensions", &response->extensions},
    };
    struct str name;
    struct str value;
    if (!str_split(line, ':', &name, &value) || name.len == 0 || name.data[0] == ' ' || name.data[0] == '\t') {
        return err_set(err, ERR_INVALID, "the server's answer has a malformed header");
    }
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        if (str_equal_nocase(name, str_from(wanted[i].name))) {
            if (wanted[i].value->data) {
                return err_set(err, ERR_INVALID, "the server's answer has two %s headers", wanted[i].name);
            }
            *wanted[i].value = str_trim(value);
        }
    }
    return true;
}

/* `head` ends with its blank line. */
static bool read_response(struct str head, struct response *response, struct err *err) {
    *response = (struct response){0};
    bool first = true;
    while (head.len > 0) {
        struct str line;
        (void)str_split(head, '\n', &line, &head);
        if (line.len > 0 && line.data[line.len - 1] == '\r') {
            line.len--;
        }
        if (line.len == 0) {
            break;
        }
        if (first ? !read_status_line(line, response, err) : !read_header_line(line, response, err)) {
            return false;
        }
        first = false;
    }
    return !first || err_set(err, ERR_INVALID, "the server did not answer in HTTP/1.1");
}

static bool check_response(const struct ws_attempt *attempt, struct str head, struct err *err) {
    struct response response;
    if (!read_response(head, &response, err)) {
        return false;
    }
    if (!str_equal_cstr(response.status, "101")) {
        return err_set(err, ERR_UNAVAILABLE, "the server answered HTTP %.*s instead of opening a WebSocket",
                       STR_ARG(response.status));
    }
    if (!str_equal_nocase(response.upgrade, STR("websocket")) || !ws_list_has(response.connection, "upgrade", true)) {
        return err_set(err, ERR_INVALID, "the server's answer does not upgrade to WebSocket");
    }
    if (!str_equal_cstr(response.accept, attempt->accept)) {
        return err_set(err, ERR_INVALID, "the server's Sec-WebSocket-Accept is wrong");
    }
    if (response.extensions.len > 0) {
        return err_set(err, ERR_INVALID, "the server wants a WebSocket extension that was not offered");
    }
    if (attempt->protocol ? !str_equal_cstr(response.protocol, attempt->protocol) : response.protocol.len > 0) {
        return err_set(err, ERR_UNSUPPORTED, "the server does not speak the subprotocol %s",
                       attempt->protocol ? attempt->protocol : "(none)");
    }
    return true;
}

static void attempt_succeed(struct ws_attempt *attempt, struct str early) {
    struct ws_conn *ws = ws_conn_new(attempt->conn, WS_CLIENT, attempt->max_message, attempt->events, attempt->context);
    void (*on_open)(void *context, struct ws_conn *conn, const struct err *err) = attempt->on_open;
    void *context = attempt->context;
    attempt_free(attempt);
    on_open(context, ws, NULL);
    if (early.len > 0) {
        ws_conn_feed(ws, early);
    }
}

static void on_answer(void *context, struct str data) {
    struct ws_attempt *attempt = context;
    if (attempt->state != WS_ATTEMPT_ASKED) {
        return;
    }
    size_t had = attempt->head.len;
    size_t room = RESPONSE_HEAD_MAX - had;
    buf_append(&attempt->head, data.data, data.len < room ? data.len : room);
    size_t head_len = http_guard_head_length(buf_str(&attempt->head));
    struct err err = {0};
    if (head_len == 0) {
        if (attempt->head.len == RESPONSE_HEAD_MAX) {
            err_set(&err, ERR_TOO_LARGE, "the server's answer is too long");
            attempt_fail(attempt, &err);
        }
        return;
    }
    if (!check_response(attempt, (struct str){attempt->head.data, head_len}, &err)) {
        attempt_fail(attempt, &err);
        return;
    }
    size_t used = head_len - had;
    attempt_succeed(attempt, (struct str){data.data + used, data.len - used});
}

static void on_answer_close(void *context, const struct err *reason) {
    struct ws_attempt *attempt = context;
    attempt->conn = NULL;
    if (attempt->state == WS_ATTEMPT_OVER) {
        attempt_free(attempt);
        return;
    }
    struct err err = {0};
    err_set(&err, ERR_CLOSED, "the connection ended during the handshake%s%s", reason ? ": " : "",
            reason ? reason->message : "");
    attempt_fail(attempt, &err);
}

static const struct conn_events ANSWER_EVENTS = {.on_data = on_answer, .on_close = on_answer_close};

static void send_request(struct ws_attempt *attempt) {
    uint8_t nonce[KEY_BYTES];
    char key[KEY_SIZE];
    random_bytes(nonce, sizeof(nonce));
    digest_base64_encode(nonce, sizeof(nonce), key);
    ws_accept_key(str_from(key), attempt->accept);
    struct buf request;
    buf_init(&request, REQUEST_MAX);
    buf_append_format(&request,
                      "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                      "Sec-WebSocket-Key: %s\r\nSec-WebSocket-Version: 13\r\n",
                      attempt->url.target, attempt->url.authority, key);
    if (attempt->protocol) {
        buf_append_format(&request, "Sec-WebSocket-Protocol: %s\r\n", attempt->protocol);
    }
    buf_append_cstr(&request, "\r\n");
    conn_write(attempt->conn, buf_str(&request));
    buf_clear(&request);
}

static void on_connected(void *context, struct conn *conn, const struct err *reason) {
    struct ws_attempt *attempt = context;
    attempt->connecting = NULL;
    if (!conn) {
        attempt_fail(attempt, reason);
        return;
    }
    attempt->conn = conn;
    attempt->state = WS_ATTEMPT_ASKED;
    conn_set_events(conn, &ANSWER_EVENTS, attempt);
    send_request(attempt);
}

static void on_timeout(void *context) {
    struct err err = {0};
    err_set(&err, ERR_TIMEOUT, "the server did not answer the WebSocket handshake in time");
    attempt_fail(context, &err);
}

bool ws_connect(struct ws_attempt **out, struct loop *loop, const struct ws_connect_options *options,
                const struct ws_conn_events *events,
                void (*on_open)(void *context, struct ws_conn *conn, const struct err *reason), void *context,
                struct err *err) {
    struct ws_url url;
    if (!ws_url_parse(&url, options->url, err)) {
        return false;
    }
    if (url.secure && !options->tls) {
        return err_set(err, ERR_INVALID, "the address wants TLS, which is not set up here");
    }
    struct ws_attempt *attempt = MEM_NEW(struct ws_attempt);
    attempt->url = url;
    attempt->protocol = options->protocol ? mem_strdup(options->protocol) : NULL;
    attempt->max_message = options->max_message;
    attempt->events = events;
    attempt->on_open = on_open;
    attempt->context = context;
    buf_init(&attempt->head, RESPONSE_HEAD_MAX);
    attempt->timer = loop_timer_new(loop, on_timeout, attempt);
    loop_timer_start(attempt->timer, options->timeout_ms, 0);
    const struct conn_connect_options to = {.host = attempt->url.host,
                                            .port = url.port,
                                            .tls = url.secure ? options->tls : NULL,
                                            .timeout_ms = options->timeout_ms};
    attempt->connecting = conn_connect(loop, &to, on_connected, attempt);
    *out = attempt;
    return true;
}

void ws_connect_cancel(struct ws_attempt *attempt) {
    attempt_end(attempt);
}
