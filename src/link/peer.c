#include "link/peer.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "link/backlog.h"
#include "net/deadline.h"
#include "net/ws_conn.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum {
    SILENT_HEARTBEATS = 3,
    KEEP_SCRATCH = 256 * 1024, /* a larger encoding buffer is given back after use */
    REASON_MAX = 124,          /* what fits in a close frame */
    HELLO_BLOCK = 512,         /* after an outage all devices say hello at once */
    DECODE_ARENA_MAX = 4 * LIMIT_LINK_PROVIDER_BYTES,
};

enum peer_state {
    PEER_CONNECTED,  /* waiting for hello */
    PEER_CHALLENGED, /* waiting for auth */
    PEER_PROVEN,     /* on_hello was called: the owner decides */
    PEER_ADMITTED,
    PEER_CLOSING, /* no more events but on_gone */
};

/* Kept from hello until the owner has decided. */
struct peer_hello {
    struct arena arena;
    struct link_hello hello;
    uint8_t nonce[LINK_NONCE_SIZE];
};

struct link_peer {
    struct link_peer_host *host;
    struct ws_conn *ws;
    enum peer_state state;
    enum link_version version; /* agreed on with hello */
    bool announced;            /* on_hello was called, so on_gone is owed */
    struct peer_hello *hello;
    struct link_watched watched; /* heard_ms: when connected, then when anything came in last */
    struct link_pace pace;
    struct deadline pause; /* until when nothing is read of it */
    struct link_backlog backlog;
    void *user;
    struct link_peer *prev, *next;
};

static void peer_drop_hello(struct link_peer *peer) {
    if (peer->hello != NULL) {
        arena_clear(&peer->hello->arena);
        free(peer->hello);
        peer->hello = NULL;
    }
}

static const char *peer_state_name(enum peer_state state) {
    switch (state) {
    case PEER_CONNECTED:
        return "connected";
    case PEER_CHALLENGED:
        return "challenged";
    case PEER_PROVEN:
        return "proven";
    case PEER_ADMITTED:
        return "admitted";
    case PEER_CLOSING:
        break;
    }
    return "closing";
}

static void peer_set_state(struct link_peer *peer, enum peer_state next) {
    LOG_DEBUG_EVENT("link.peer", LOG_TEXT("address", ws_conn_peer(peer->ws)),
                    LOG_TEXT("from", peer_state_name(peer->state)), LOG_TEXT("to", peer_state_name(next)),
                    LOG_INT("version", peer->version));
    peer->host->admitted_count -= peer->state == PEER_ADMITTED;
    peer->state = next;
    peer->host->admitted_count += next == PEER_ADMITTED;
    if (next == PEER_ADMITTED || next == PEER_CLOSING) {
        peer_drop_hello(peer);
    }
    if (next == PEER_CLOSING) {
        link_watch_remove(&peer->host->watch, &peer->watched);
    }
}

/* A second call changes nothing. */
static void peer_close_with(struct link_peer *peer, uint16_t code, const char *reason) {
    if (peer->state != PEER_CLOSING) {
        peer_set_state(peer, PEER_CLOSING);
        ws_conn_close(peer->ws, code, reason);
    }
}

/* It does not read: a close frame would not arrive either. */
static void peer_cut(struct link_peer *peer) {
    if (peer->state != PEER_CLOSING) {
        peer_set_state(peer, PEER_CLOSING);
        ws_conn_abort(peer->ws);
    }
}

/* All that the gateway says is text, in both versions. */
static void peer_send(struct link_peer *peer) {
    struct link_peer_host *host = peer->host;
    ws_conn_send(peer->ws, WS_TEXT, buf_str(&host->scratch));
    peer->backlog.queued += host->scratch.len;
    if (host->scratch.capacity > KEEP_SCRATCH) {
        buf_clear(&host->scratch);
    }
    if (ws_conn_unsent(peer->ws) > host->config.backlog_bytes) {
        peer_cut(peer);
    }
}

static struct buf *begin_message(struct link_peer_host *host) {
    buf_reset(&host->scratch);
    return &host->scratch;
}

void link_peer_send_drain(struct link_peer *peer) {
    if (peer->state == PEER_ADMITTED) {
        link_encode_word(begin_message(peer->host), LINK_DRAIN);
        peer_send(peer);
    }
}

/* --- What a provider says --- */

static void handle_hello(struct link_peer *peer, const struct link_hello *hello) {
    struct peer_hello *kept = peer->hello;
    kept->hello = *hello;
    if (!ed25519_key_is_sound(hello->public_key)) {
        peer_close_with(peer, WS_CLOSE_POLICY, "the public key is none that a secret key can stand behind");
        return;
    }
    if (!link_version_choose(hello->versions, hello->version_count, &peer->version)) {
        peer_close_with(peer, WS_CLOSE_POLICY, "no common protocol version: this gateway speaks " LINK_VERSIONS_SPOKEN);
        return;
    }
    random_bytes(kept->nonce, sizeof(kept->nonce));
    struct link_challenge challenge = {.version = peer->version};
    memcpy(challenge.nonce, kept->nonce, sizeof(challenge.nonce));
    peer_set_state(peer, PEER_CHALLENGED);
    link_encode_challenge(begin_message(peer->host), &challenge);
    peer_send(peer);
}

static void handle_auth(struct link_peer *peer, const struct link_auth *auth) {
    const struct link_peer_host *host = peer->host;
    const struct link_hello *hello = &peer->hello->hello;
    if (!link_auth_proves(auth, peer->hello->nonce, hello->public_key)) {
        peer_close_with(peer, WS_CLOSE_POLICY, "the signature does not match the public key");
        return;
    }
    peer_set_state(peer, PEER_PROVEN);
    peer->announced = true;
    host->events->on_hello(host->context, peer, hello);
}

static void peer_unexpected(struct link_peer *peer, enum link_kind kind) {
    char reason[REASON_MAX];
    snprintf(reason, sizeof(reason), "message \"%s\" is not expected here", link_kind_name(kind));
    peer_close_with(peer, WS_CLOSE_PROTOCOL, reason);
}

static void handle_admitted(struct link_peer *peer, const struct link_message *message) {
    const struct link_server_events *events = peer->host->events;
    void *context = peer->host->context;
    switch (message->kind) {
    case LINK_STATUS:
        events->on_status(context, peer, &message->status);
        return;
    case LINK_ACCEPT:
        events->on_accept(context, peer, &message->accept);
        return;
    case LINK_PROGRESS:
        if (events->on_progress != NULL) {
            events->on_progress(context, peer, &message->progress);
        }
        return;
    case LINK_DELTA:
        events->on_delta(context, peer, &message->delta);
        return;
    case LINK_DONE:
        events->on_done(context, peer, &message->done);
        return;
    case LINK_SCORED:
        if (events->on_scored != NULL) {
            events->on_scored(context, peer, &message->scored);
        }
        return;
    case LINK_ERROR:
        events->on_error(context, peer, &message->error);
        return;
    case LINK_DRAIN:
        events->on_drain(context, peer);
        return;
    case LINK_LEAVE:
        if (events->on_leave != NULL) {
            events->on_leave(context, peer);
        }
        return;
    case LINK_UNKNOWN:
        return;
    case LINK_HELLO:
    case LINK_CHALLENGE:
    case LINK_AUTH:
    case LINK_WELCOME:
    case LINK_JOB:
    case LINK_CANCEL:
    case LINK_WANT:
        break;
    }
    peer_unexpected(peer, message->kind);
}

static void handle_message(struct link_peer *peer, const struct link_message *message) {
    if (peer->state == PEER_ADMITTED) {
        handle_admitted(peer, message);
    } else if (peer->state == PEER_CONNECTED && message->kind == LINK_HELLO) {
        handle_hello(peer, &message->hello);
    } else if (peer->state == PEER_CHALLENGED && message->kind == LINK_AUTH) {
        handle_auth(peer, &message->auth);
    } else if (message->kind != LINK_UNKNOWN) {
        peer_unexpected(peer, message->kind);
    }
}

/* What hello says is kept until the owner has decided; everything else lives for the call. */
static struct arena *arena_for_message(struct link_peer *peer) {
    if (peer->state != PEER_CONNECTED) {
        return &peer->host->arena;
    }
    if (peer->hello == NULL) {
        peer->hello = MEM_NEW(struct peer_hello);
        arena_init_small(&peer->hello->arena, DECODE_ARENA_MAX, HELLO_BLOCK);
    }
    return &peer->hello->arena;
}

static void peer_heard(struct link_peer *peer) {
    if (peer->state == PEER_ADMITTED) {
        link_watch_heard(&peer->host->watch, &peer->watched);
    }
}

static void pause_over(struct deadline *deadline) {
    struct link_peer *peer = (struct link_peer *)((char *)deadline - offsetof(struct link_peer, pause));
    peer_heard(peer); /* it was we who did not listen */
    ws_conn_read_resume(peer->ws);
}

/* What is here already is still handled; the rest waits where it comes from. */
static void peer_slow_down(struct link_peer *peer, enum link_kind kind, size_t bytes) {
    const struct link_peer_host *host = peer->host;
    const uint64_t pause_ms = link_pace_heard(&peer->pace, &host->pace, kind, bytes, loop_now_ms(host->loop));
    if (pause_ms > 0 && peer->state != PEER_CLOSING) {
        ws_conn_read_pause(peer->ws);
        deadline_set(loop_deadlines(host->loop), &peer->pause, pause_ms);
    }
}

static void on_ws_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct link_peer *peer = context;
    struct link_peer_host *host = peer->host;
    peer_heard(peer);
    if (peer->state == PEER_CLOSING) {
        return;
    }
    struct link_message message;
    struct err err;
    err_clear(&err);
    if (opcode == WS_BINARY
            ? link_decode_binary(peer->version, payload, &message, &err)
            : link_decode_text(peer->version, host->parser, arena_for_message(peer), payload, &message, &err)) {
        peer_slow_down(peer, message.kind, payload.len);
        handle_message(peer, &message);
    } else {
        peer_close_with(peer, WS_CLOSE_PROTOCOL, err.message);
    }
    arena_clear(&host->arena);
}

static void on_ws_pong(void *context) {
    peer_heard(context);
}

static void on_ws_close(void *context, uint16_t code, struct str reason) {
    struct link_peer *peer = context;
    struct link_peer_host *host = peer->host;
    if (peer->state != PEER_CLOSING) {
        peer_set_state(peer, PEER_CLOSING);
    }
    if (peer->announced) {
        char text[REASON_MAX + 16];
        snprintf(text, sizeof(text), "%.*s (%u)", STR_ARG(reason), code);
        host->events->on_gone(host->context, peer, text);
    }
    link_refused_forget(&host->refused, peer);
    deadline_remove(loop_deadlines(host->loop), &peer->pause);
    DL_DELETE(host->peers, peer);
    host->open_count--;
    free(peer);
    host->on_closed(host);
}

static const struct ws_conn_events WS_EVENTS = {
    .on_message = on_ws_message, .on_close = on_ws_close, .on_pong = on_ws_pong};

/* --- What the owner says --- */

void link_peer_admit(struct link_peer *peer, const char *provider_id) {
    if (peer->state != PEER_PROVEN) {
        return; /* closed in the meantime: on_gone is on its way */
    }
    peer_set_state(peer, PEER_ADMITTED);
    peer->watched.heard_ms = loop_now_ms(peer->host->loop);
    ws_conn_set_max_message(peer->ws, LIMIT_LINK_PROVIDER_BYTES);
    ws_conn_prove(peer->ws);
    const struct link_welcome welcome = {.provider_id = str_from(provider_id),
                                         .heartbeat_ms = peer->host->config.heartbeat_ms};
    link_encode_welcome(begin_message(peer->host), &welcome);
    peer_send(peer);
    if (peer->host->draining) {
        link_peer_send_drain(peer);
    }
}

void link_peer_deny(struct link_peer *peer, const char *reason) {
    peer_close_with(peer, WS_CLOSE_POLICY, reason);
}

static void report_refused(void *context, struct link_peer *peer, uint64_t job) {
    const struct link_peer_host *host = context;
    if (peer->state == PEER_ADMITTED) {
        const struct link_error error = {.job = job,
                                         .failure = GEN_FAILURE_BAD_REQUEST,
                                         .message = STR("the request is too large to be sent to a provider"),
                                         .param = STR(""),
                                         .by_gateway = true};
        host->events->on_error(host->context, peer, &error);
    }
}

void link_peer_send_job(struct link_peer *peer, uint64_t job, const struct gen_request *request) {
    if (peer->state != PEER_ADMITTED) {
        return;
    }
    link_encode_job(begin_message(peer->host), peer->version, job, request);
    if (!peer->host->scratch.overflow) {
        peer_send(peer);
        return;
    }
    buf_clear(&peer->host->scratch);
    link_refused_add(&peer->host->refused, peer, job);
}

bool link_peer_has_scopes(const struct link_peer *peer) {
    return peer->version >= LINK_VERSION_2;
}

bool link_peer_send_score(struct link_peer *peer, uint64_t job, const struct gen_request *request,
                          const struct gen_answer *answer) {
    if (peer->state != PEER_ADMITTED || peer->version < LINK_VERSION_2) {
        return false;
    }
    link_encode_score(begin_message(peer->host), job, request, answer);
    if (peer->host->scratch.overflow) {
        buf_clear(&peer->host->scratch);
        return false;
    }
    peer_send(peer);
    return true;
}

void link_peer_send_cancel(struct link_peer *peer, uint64_t job) {
    if (peer->state == PEER_ADMITTED) {
        link_encode_cancel(begin_message(peer->host), job);
        peer_send(peer);
    }
}

void link_peer_send_want(struct link_peer *peer, struct str model) {
    if (peer->state == PEER_ADMITTED) {
        link_encode_want(begin_message(peer->host), &(struct link_want){.model = model});
        peer_send(peer);
    }
}

void link_peer_watch(struct link_peer *peer, bool watched) {
    if (!watched) {
        link_watch_remove(&peer->host->watch, &peer->watched);
    } else if (peer->state == PEER_ADMITTED) {
        link_watch_add(&peer->host->watch, &peer->watched);
    }
}

void link_peer_close(struct link_peer *peer, const char *reason) {
    peer_close_with(peer, WS_CLOSE_PROTOCOL, reason);
}

void link_peer_set_user(struct link_peer *peer, void *user) {
    peer->user = user;
}

void *link_peer_user(const struct link_peer *peer) {
    return peer->user;
}

const char *link_peer_address(const struct link_peer *peer) {
    return ws_conn_peer(peer->ws);
}

/* --- What the server says --- */

static void ping(void *link) {
    const struct link_peer *peer = link;
    ws_conn_ping(peer->ws);
}

static void on_silent(void *link) {
    struct link_peer *peer = link;
    if (peer->host->events->on_silent != NULL) {
        peer->host->events->on_silent(peer->host->context, peer);
    }
}

static void on_alive(void *link) {
    struct link_peer *peer = link;
    if (peer->host->events->on_alive != NULL) {
        peer->host->events->on_alive(peer->host->context, peer);
    }
}

static const struct link_watch_events WATCH_EVENTS = {.ping = ping, .on_silent = on_silent, .on_alive = on_alive};

void link_peer_host_init(struct link_peer_host *host, struct loop *loop, const struct link_server_config *config,
                         const struct link_server_events *events, void *context) {
    *host = (struct link_peer_host){.loop = loop, .config = *config, .events = events, .context = context};
    host->parser = json_parser_new(LIMIT_LINK_PROVIDER_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&host->arena, DECODE_ARENA_MAX);
    buf_init(&host->scratch, LIMIT_LINK_MESSAGE_BYTES);
    link_refused_init(&host->refused, loop, report_refused, host);
    link_pace_limits_init(&host->pace, config->messages_per_s, config->bytes_per_s);
    link_watch_init(&host->watch, loop, &WATCH_EVENTS, config->watch_ping_ms, config->watch_silence_ms);
}

void link_peer_host_clear(struct link_peer_host *host) {
    link_watch_clear(&host->watch);
    json_parser_free(host->parser);
    arena_clear(&host->arena);
    buf_clear(&host->scratch);
}

bool link_peer_open(struct link_peer_host *host, struct http_exchange *exchange, struct err *err) {
    struct link_peer *peer = MEM_NEW(struct link_peer);
    peer->host = host;
    peer->state = PEER_CONNECTED;
    peer->version = LINK_VERSION_1;
    peer->watched.link = peer;
    peer->pause.expired = pause_over;
    peer->watched.heard_ms = loop_now_ms(host->loop);
    if (!ws_conn_accept(&peer->ws, exchange, LINK_SUBPROTOCOL, LIMIT_LINK_HELLO_BYTES, &WS_EVENTS, peer, err)) {
        free(peer);
        return false;
    }
    DL_APPEND(host->peers, peer);
    host->open_count++;
    return true;
}

struct link_peer *link_peer_next(const struct link_peer *peer) {
    return peer->next;
}

void link_peer_check(struct link_peer *peer, uint64_t now_ms) {
    struct link_peer_host *host = peer->host;
    const uint64_t silent_ms = now_ms > peer->watched.heard_ms ? now_ms - peer->watched.heard_ms : 0,
                   patience_ms = (uint64_t)host->config.heartbeat_ms * SILENT_HEARTBEATS;
    const size_t unsent = ws_conn_unsent(peer->ws);
    host->unsent += unsent;
    if (peer->state < PEER_ADMITTED && silent_ms >= host->config.handshake_ms) {
        peer_close_with(peer, WS_CLOSE_PROTOCOL, "the handshake took too long");
    } else if (peer->state == PEER_ADMITTED && silent_ms >= patience_ms) {
        peer_close_with(peer, WS_CLOSE_PROTOCOL, "no sign of life for three heartbeats");
    } else if (link_backlog_is_stuck(&peer->backlog, unsent, patience_ms, host->crowded, now_ms)) {
        peer_cut(peer);
    }
}

void link_peer_shut_down(struct link_peer *peer) {
    peer_close_with(peer, WS_CLOSE_GOING_AWAY, "the gateway is shutting down");
}
