/* One provider's link: its handshake, its messages, its end. */
#include "link/peer.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    KEEP_SCRATCH = 256 * 1024, /* a larger encoding buffer is given back after use */
    REASON_MAX = 124,          /* what fits in a close frame */
    HELLO_BLOCK = 512,         /* after an outage all devices say hello at once */
};

static void peer_drop_hello(struct link_peer *peer) {
    if (peer->hello) {
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

void link_peer_set_state(struct link_peer *peer, enum peer_state next) {
    LOG_DEBUG_EVENT("link.peer", LOG_TEXT("address", ws_conn_peer(peer->ws)),
                    LOG_TEXT("from", peer_state_name(peer->state)), LOG_TEXT("to", peer_state_name(next)));
    if (peer->state == PEER_ADMITTED) {
        peer->server->admitted_count--;
    }
    peer->state = next;
    if (next == PEER_ADMITTED) {
        peer->server->admitted_count++;
    }
    if (next == PEER_ADMITTED || next == PEER_CLOSING) {
        peer_drop_hello(peer);
    }
    if (next == PEER_CLOSING) {
        link_peer_watch(peer, false);
    }
}

void link_peer_close_with(struct link_peer *peer, uint16_t code, const char *reason) {
    if (peer->state != PEER_CLOSING) {
        link_peer_set_state(peer, PEER_CLOSING);
        ws_conn_close(peer->ws, code, reason);
    }
}

static void peer_send(struct link_peer *peer) {
    struct link_server *server = peer->server;
    ws_conn_send(peer->ws, WS_TEXT, buf_str(&server->scratch));
    if (server->scratch.capacity > KEEP_SCRATCH) {
        buf_clear(&server->scratch);
    }
    if (ws_conn_unsent(peer->ws) > server->config.backlog_bytes && peer->state != PEER_CLOSING) {
        link_peer_set_state(peer, PEER_CLOSING);
        ws_conn_abort(peer->ws); /* it does not read: a close frame would not arrive either */
    }
}

static struct buf *begin_message(struct link_server *server) {
    buf_reset(&server->scratch);
    return &server->scratch;
}

void link_peer_send_drain(struct link_peer *peer) {
    link_encode_drain(begin_message(peer->server));
    peer_send(peer);
}

/* --- What a provider says --- */

static bool speaks_our_version(const struct link_hello *hello) {
    for (size_t i = 0; i < hello->version_count; i++) {
        if (hello->versions[i] == LINK_VERSION) {
            return true;
        }
    }
    return false;
}

static void handle_hello(struct link_peer *peer, const struct link_hello *hello) {
    struct peer_hello *kept = peer->hello;
    kept->hello = *hello;
    if (!speaks_our_version(hello)) {
        link_peer_close_with(peer, WS_CLOSE_POLICY, "no common protocol version: this gateway speaks 1");
        return;
    }
    random_bytes(kept->nonce, sizeof kept->nonce);
    struct link_challenge challenge = {.version = LINK_VERSION};
    memcpy(challenge.nonce, kept->nonce, sizeof challenge.nonce);
    link_peer_set_state(peer, PEER_CHALLENGED);
    link_encode_challenge(begin_message(peer->server), &challenge);
    peer_send(peer);
}

static void handle_auth(struct link_peer *peer, const struct link_auth *auth) {
    const struct link_server *server = peer->server;
    const struct link_hello *hello = &peer->hello->hello;
    struct buf proof;
    buf_init(&proof, 256);
    link_signed_bytes(&proof, peer->hello->nonce, hello->public_key);
    bool proven = ed25519_verify(hello->public_key, buf_str(&proof), auth->signature);
    buf_clear(&proof);
    if (!proven) {
        link_peer_close_with(peer, WS_CLOSE_POLICY, "the signature does not match the public key");
        return;
    }
    link_peer_set_state(peer, PEER_PROVEN);
    peer->announced = true;
    server->events->on_hello(server->context, peer, hello);
}

static void peer_unexpected(struct link_peer *peer, enum link_kind kind) {
    char reason[REASON_MAX];
    snprintf(reason, sizeof reason, "message \"%s\" is not expected here", link_kind_name(kind));
    link_peer_close_with(peer, WS_CLOSE_PROTOCOL, reason);
}

static void handle_admitted(struct link_peer *peer, const struct link_message *message) {
    const struct link_server_events *events = peer->server->events;
    void *context = peer->server->context;
    switch (message->kind) {
    case LINK_STATUS:
        events->on_status(context, peer, &message->status);
        return;
    case LINK_ACCEPT:
        events->on_accept(context, peer, &message->accept);
        return;
    case LINK_DELTA:
        events->on_delta(context, peer, &message->delta);
        return;
    case LINK_DONE:
        events->on_done(context, peer, &message->done);
        return;
    case LINK_ERROR:
        events->on_error(context, peer, &message->error);
        return;
    case LINK_DRAIN:
        events->on_drain(context, peer);
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
    } else if (message->kind == LINK_UNKNOWN) {
        return;
    } else if (peer->state == PEER_CONNECTED && message->kind == LINK_HELLO) {
        handle_hello(peer, &message->hello);
    } else if (peer->state == PEER_CHALLENGED && message->kind == LINK_AUTH) {
        handle_auth(peer, &message->auth);
    } else {
        peer_unexpected(peer, message->kind);
    }
}

/* What hello says is kept until the owner has decided; everything else lives for the call. */
static struct arena *arena_for_message(struct link_peer *peer) {
    if (peer->state != PEER_CONNECTED) {
        return &peer->server->arena;
    }
    if (!peer->hello) {
        peer->hello = MEM_NEW(struct peer_hello);
        arena_init_small(&peer->hello->arena, LINK_DECODE_ARENA_MAX, HELLO_BLOCK);
    }
    return &peer->hello->arena;
}

static void on_ws_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct link_peer *peer = context;
    struct link_server *server = peer->server;
    link_watch_heard(peer);
    if (peer->state == PEER_CLOSING) {
        return;
    }
    struct link_message message;
    struct err err = {0};
    bool ok = opcode == WS_BINARY ? link_decode_binary(payload, &message, &err)
                                  : link_decode_text(server->parser, arena_for_message(peer), payload, &message, &err);
    if (ok) {
        handle_message(peer, &message);
    } else {
        link_peer_close_with(peer, WS_CLOSE_PROTOCOL, err.message);
    }
    arena_clear(&server->arena);
}

static void on_ws_pong(void *context) {
    link_watch_heard(context);
}

static void on_ws_close(void *context, uint16_t code, struct str reason) {
    struct link_peer *peer = context;
    struct link_server *server = peer->server;
    if (peer->state != PEER_CLOSING) {
        link_peer_set_state(peer, PEER_CLOSING);
    }
    if (peer->announced) {
        char text[REASON_MAX + 16];
        snprintf(text, sizeof text, "%.*s (%u)", STR_ARG(reason), code);
        server->events->on_gone(server->context, peer, text);
    }
    link_server_forget(server, peer);
}

const struct ws_conn_events LINK_PEER_EVENTS = {
    .on_message = on_ws_message, .on_close = on_ws_close, .on_pong = on_ws_pong};

void link_peer_admit(struct link_peer *peer, const char *provider_id) {
    if (peer->state != PEER_PROVEN) {
        return; /* closed in the meantime: on_gone is on its way */
    }
    link_peer_set_state(peer, PEER_ADMITTED);
    peer->heard_ms = loop_now_ms(peer->server->loop);
    ws_conn_set_max_message(peer->ws, LINK_PROVIDER_MESSAGE_MAX);
    const struct link_welcome welcome = {.provider_id = str_from(provider_id),
                                         .heartbeat_ms = peer->server->config.heartbeat_ms};
    link_encode_welcome(begin_message(peer->server), &welcome);
    peer_send(peer);
    if (peer->server->draining) {
        link_peer_send_drain(peer);
    }
}

void link_peer_deny(struct link_peer *peer, const char *reason) {
    link_peer_close_with(peer, WS_CLOSE_POLICY, reason);
}

void link_peer_send_job(struct link_peer *peer, uint64_t job, const struct gen_request *request) {
    struct link_server *server = peer->server;
    if (peer->state != PEER_ADMITTED) {
        return;
    }
    struct buf *out = begin_message(server);
    link_encode_job(out, job, request);
    if (!out->overflow) {
        peer_send(peer);
        return;
    }
    buf_clear(out);
    link_server_refuse_job(server, peer, job);
}

void link_peer_send_cancel(struct link_peer *peer, uint64_t job) {
    if (peer->state == PEER_ADMITTED) {
        link_encode_cancel(begin_message(peer->server), job);
        peer_send(peer);
    }
}

void link_peer_send_want(struct link_peer *peer, struct str model) {
    if (peer->state == PEER_ADMITTED) {
        link_encode_want(begin_message(peer->server), &(struct link_want){.model = model});
        peer_send(peer);
    }
}

void link_peer_close(struct link_peer *peer, const char *reason) {
    link_peer_close_with(peer, WS_CLOSE_PROTOCOL, reason);
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
