#include "net/ws_conn.h"

#include "base/buf.h"
#include "base/digest.h"
#include "base/mem.h"
#include "base/random.h"
#include "net/listener.h"
#include "net/loop.h"

#include <stdlib.h>
#include <string.h>

enum {
    CLOSE_BROKEN = 1006, /* RFC 6455 7.1.5: no close frame was seen; never on the wire */
    CLOSE_DEADLINE_MS = 2000,
    CLOSE_REASON_MAX = 123,
    PONG_BACKLOG = 64 * 1024, /* a peer that does not read gets no more pongs */
    KEY_BYTES = 16,
    KEY_LENGTH = 24,
};

enum ws_state {
    WS_STATE_OPEN,
    WS_STATE_CLOSE_SENT, /* waiting for the peer's close frame or for its end of the connection */
    WS_STATE_DONE,       /* the connection was told to close */
};

/* RFC 6455 10.3: masks must not be guessable; drawing 64 at a time keeps them cheap. */
struct ws_masks {
    uint8_t bytes[256];
    size_t used;
};

/* Bytes that came with the handshake: they are fed at the end of the iteration, when the owner knows its ws_conn. Lives
 * until its deferred call, even when the connection goes first. */
struct ws_early {
    struct loop_deferred deferred; /* first: the loop hands it back */
    struct ws_conn *ws;            /* NULL once fed or gone */
    struct buf data;
};

struct ws_conn {
    struct conn *conn;
    struct ws_decoder decoder;
    const struct ws_conn_events *events;
    void *context;
    enum ws_state state;
    uint16_t close_code; /* 0 until known */
    char *close_reason;
    struct ws_masks *masks; /* clients only */
    struct ws_early *early;
    struct loop_timer *close_timer; /* made when closing begins */
};

static const uint8_t *next_mask(struct ws_conn *ws) {
    struct ws_masks *masks = ws->masks;
    if (!masks) {
        return NULL;
    }
    if (masks->used == sizeof(masks->bytes)) {
        random_bytes(masks->bytes, sizeof(masks->bytes));
        masks->used = 0;
    }
    masks->used += 4;
    return masks->bytes + masks->used - 4;
}

/* Composed in the connection's gathered buffer: one copy, no allocation of its own. */
static void send_frame(struct ws_conn *ws, enum ws_opcode opcode, struct str payload) {
    char *at = conn_reserve(ws->conn, WS_HEADER_MAX + payload.len);
    if (!at) {
        return; /* the connection is closing */
    }
    const uint8_t *mask = next_mask(ws);
    size_t header_len = ws_write_header((uint8_t *)at, opcode, payload.len, mask);
    if (mask) {
        ws_mask(at + header_len, payload.data, payload.len, mask, 0);
    } else if (payload.len > 0) {
        memcpy(at + header_len, payload.data, payload.len);
    }
    conn_commit(ws->conn, header_len + payload.len);
}

static void remember_close(struct ws_conn *ws, uint16_t code, struct str reason) {
    if (ws->close_code == 0) {
        ws->close_code = code;
        ws->close_reason = mem_strndup(reason.len ? reason.data : "", reason.len);
    }
}

static void send_close(struct ws_conn *ws, uint16_t code, struct str reason) {
    struct buf frame;
    buf_init(&frame, WS_HEADER_MAX + CLOSE_REASON_MAX + 2);
    ws_write_close(&frame, code, reason, next_mask(ws));
    conn_write(ws->conn, buf_str(&frame));
    buf_clear(&frame);
}

static void finish(struct ws_conn *ws) {
    if (ws->state != WS_STATE_DONE) {
        ws->state = WS_STATE_DONE;
        ws_decoder_stop(&ws->decoder);
        conn_close(ws->conn, CLOSE_DEADLINE_MS);
    }
}

static void on_close_deadline(void *context) {
    struct ws_conn *ws = context;
    ws->state = WS_STATE_DONE;
    ws_decoder_stop(&ws->decoder);
    conn_abort(ws->conn);
}

/* Our close frame goes out. What still comes in is read, so that the kernel does not answer it with a reset that would
 * overtake the close frame. */
static void begin_close(struct ws_conn *ws, uint16_t code, struct str reason) {
    conn_read_resume(ws->conn);
    remember_close(ws, code, reason);
    send_close(ws, code, reason);
    ws->state = WS_STATE_CLOSE_SENT;
    ws->close_timer = loop_timer_new(conn_loop(ws->conn), on_close_deadline, ws);
    loop_timer_start(ws->close_timer, CLOSE_DEADLINE_MS, 0);
}

static void on_decoder_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct ws_conn *ws = context;
    if (ws->state == WS_STATE_OPEN) {
        ws->events->on_message(ws->context, opcode, payload);
    }
}

static void on_peer_close(struct ws_conn *ws, uint16_t code, struct str reason) {
    remember_close(ws, code, reason);
    if (ws->state == WS_STATE_OPEN) {
        send_close(ws, code, (struct str){NULL, 0});
    }
    finish(ws);
}

static void on_decoder_control(void *context, enum ws_opcode opcode, uint16_t code, struct str payload) {
    struct ws_conn *ws = context;
    if (opcode == WS_CLOSE) {
        on_peer_close(ws, code, payload);
    } else if (ws->state != WS_STATE_OPEN) {
        return;
    } else if (opcode == WS_PONG) {
        if (ws->events->on_pong) {
            ws->events->on_pong(ws->context);
        }
    } else if (conn_unsent(ws->conn) < PONG_BACKLOG) {
        send_frame(ws, WS_PONG, payload);
    }
}

static const struct ws_events DECODER_EVENTS = {.on_message = on_decoder_message, .on_control = on_decoder_control};

void ws_conn_feed(struct ws_conn *ws, struct str data) {
    if (ws->state == WS_STATE_DONE) {
        return;
    }
    const char *why = "";
    uint16_t code = ws_decoder_feed(&ws->decoder, data, &why);
    if (code == 0) {
        return;
    }
    if (ws->state == WS_STATE_OPEN) {
        begin_close(ws, code, str_from(why));
    } else {
        finish(ws);
    }
}

static void feed_early(struct ws_conn *ws) {
    struct ws_early *early = ws->early;
    ws->early = NULL;
    early->ws = NULL;
    ws_conn_feed(ws, buf_str(&early->data));
}

static void run_early(struct loop_deferred *self) {
    struct ws_early *early = (struct ws_early *)self;
    if (early->ws) {
        feed_early(early->ws);
    }
    buf_clear(&early->data);
    free(early);
}

static void on_conn_data(void *context, struct str data) {
    struct ws_conn *ws = context;
    if (ws->early) {
        feed_early(ws);
    }
    ws_conn_feed(ws, data);
}

static void on_conn_close(void *context, const struct err *reason) {
    struct ws_conn *ws = context;
    ws->state = WS_STATE_DONE;
    const char *words = reason ? reason->message : "closed without a close frame";
    remember_close(ws, CLOSE_BROKEN, str_from(words));
    if (ws->early) {
        ws->early->ws = NULL;
    }
    ws->events->on_close(ws->context, ws->close_code, str_from(ws->close_reason));
    loop_timer_free(ws->close_timer);
    ws_decoder_clear(&ws->decoder);
    free(ws->close_reason);
    free(ws->masks);
    free(ws);
}

static void on_conn_drain(void *context) {
    struct ws_conn *ws = context;
    if (ws->state == WS_STATE_OPEN && ws->events->on_drain) {
        ws->events->on_drain(ws->context);
    }
}

static const struct conn_events CONN_EVENTS = {
    .on_data = on_conn_data, .on_close = on_conn_close, .on_drain = on_conn_drain};

struct ws_conn *ws_conn_new(struct conn *conn, enum ws_role role, size_t max_message,
                            const struct ws_conn_events *events, void *context) {
    struct ws_conn *ws = MEM_NEW(struct ws_conn);
    ws->conn = conn;
    ws->events = events;
    ws->context = context;
    ws_decoder_init(&ws->decoder, role, max_message, &DECODER_EVENTS, ws);
    if (role == WS_CLIENT) {
        ws->masks = MEM_NEW(struct ws_masks);
        ws->masks->used = sizeof(ws->masks->bytes);
    }
    conn_set_events(conn, &CONN_EVENTS, ws);
    return ws;
}

bool ws_list_has(struct str list, const char *token, bool ignore_case) {
    struct str item;
    bool more = true;
    while (more) {
        more = str_split(list, ',', &item, &list);
        item = str_trim(item);
        if (ignore_case ? str_equal_nocase(item, str_from(token)) : str_equal_cstr(item, token)) {
            return true;
        }
    }
    return false;
}

/* RFC 6455 4.2.1 */
static bool check_handshake(const struct http_request *request, const char *protocol, struct err *err) {
    if (!str_equal_cstr(request->method, "GET") || request->http_1_0) {
        return err_set(err, ERR_INVALID, "a WebSocket handshake is a GET of HTTP/1.1");
    }
    if (!ws_list_has(http_request_header(request, "upgrade"), "websocket", true) ||
        !ws_list_has(http_request_header(request, "connection"), "upgrade", true)) {
        return err_set(err, ERR_UNSUPPORTED, "this address speaks WebSocket only: Upgrade: websocket is missing");
    }
    if (!str_equal_cstr(http_request_header(request, "sec-websocket-version"), "13")) {
        return err_set(err, ERR_UNSUPPORTED, "Sec-WebSocket-Version must be 13");
    }
    uint8_t key[KEY_BYTES + 2]; /* what 24 characters of base64 can hold */
    size_t key_len = 0;
    struct str key_text = http_request_header(request, "sec-websocket-key");
    if (key_text.len != KEY_LENGTH || !digest_base64_decode(key_text, key, sizeof(key), &key_len) ||
        key_len != KEY_BYTES) {
        return err_set(err, ERR_INVALID, "Sec-WebSocket-Key must be 16 bytes in base64");
    }
    if (protocol && !ws_list_has(http_request_header(request, "sec-websocket-protocol"), protocol, false)) {
        return err_set(err, ERR_INVALID, "Sec-WebSocket-Protocol must offer %s", protocol);
    }
    return true;
}

bool ws_conn_accept(struct ws_conn **out, struct http_exchange *exchange, const char *protocol, size_t max_message,
                    const struct ws_conn_events *events, void *context, struct err *err) {
    const struct http_request *request = http_exchange_request(exchange);
    if (!check_handshake(request, protocol, err)) {
        return false;
    }
    char accept[29];
    ws_accept_key(http_request_header(request, "sec-websocket-key"), accept);
    const struct http_response_header headers[] = {
        {"Upgrade", STR("websocket")},
        {"Connection", STR("Upgrade")},
        {"Sec-WebSocket-Accept", str_from(accept)},
        {"Sec-WebSocket-Protocol", str_from(protocol)},
    };
    struct str early = {NULL, 0};
    struct conn *conn = http_upgrade(exchange, headers, COUNT_OF(headers) - (protocol ? 0 : 1), &early);
    struct ws_conn *ws = ws_conn_new(conn, WS_SERVER, max_message, events, context);
    listener_await(conn);
    if (early.len > 0) {
        ws->early = MEM_NEW(struct ws_early);
        ws->early->deferred.run = run_early;
        ws->early->ws = ws;
        buf_init(&ws->early->data, early.len);
        buf_append_str(&ws->early->data, early);
        loop_defer(conn_loop(conn), &ws->early->deferred);
    }
    *out = ws;
    return true;
}

void ws_conn_send(struct ws_conn *ws, enum ws_opcode opcode, struct str payload) {
    if (ws->state == WS_STATE_OPEN) {
        send_frame(ws, opcode, payload);
    }
}

void ws_conn_ping(struct ws_conn *ws) {
    ws_conn_send(ws, WS_PING, (struct str){NULL, 0});
}

size_t ws_conn_unsent(const struct ws_conn *ws) {
    return conn_unsent(ws->conn);
}

void ws_conn_set_max_message(struct ws_conn *ws, size_t max_message) {
    ws->decoder.max_message = max_message;
}

void ws_conn_close(struct ws_conn *ws, uint16_t code, const char *reason) {
    if (ws->state == WS_STATE_OPEN) {
        begin_close(ws, code, str_from(reason));
    }
}

void ws_conn_abort(struct ws_conn *ws) {
    if (ws->state != WS_STATE_DONE) {
        remember_close(ws, CLOSE_BROKEN, STR("aborted"));
        ws->state = WS_STATE_DONE;
        ws_decoder_stop(&ws->decoder);
        conn_abort(ws->conn);
    }
}

void ws_conn_read_pause(struct ws_conn *ws) {
    if (ws->state == WS_STATE_OPEN) {
        conn_read_pause(ws->conn);
    }
}

void ws_conn_read_resume(struct ws_conn *ws) {
    conn_read_resume(ws->conn);
}

void ws_conn_prove(struct ws_conn *ws) {
    listener_came_in(ws->conn);
    conn_prove(ws->conn);
}

const char *ws_conn_peer(const struct ws_conn *ws) {
    return conn_peer(ws->conn);
}
