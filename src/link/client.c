#include "link/client.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "link/address.h"
#include "link/backoff.h"
#include "net/ws_client.h"
#include "net/ws_conn.h"
#include "wire/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    SILENT_HEARTBEATS = 3,
    KEEP_SCRATCH = 256 * 1024, /* a larger encoding buffer is given back after use */
    DECODE_ARENA_MAX = 3 * LIMIT_LINK_MESSAGE_BYTES,
    REASON_MAX = 256,
};

enum client_state {
    CLIENT_WAITING,    /* for the back-off to pass */
    CLIENT_CONNECTING, /* TCP, TLS, WebSocket */
    CLIENT_GREETED,    /* hello sent */
    CLIENT_PROVING,    /* auth sent */
    CLIENT_READY,
    CLIENT_LEAVING, /* closing a link that is of no use any more; then back-off */
    CLIENT_REFUSED, /* for good */
};

struct link_client {
    struct loop *loop;
    const struct link_client_events *events;
    void *context;
    struct link_client_config config; /* url and join_token owned */
    uint8_t public_key[ED25519_KEY_SIZE];
    enum client_state state;
    enum link_version version;  /* agreed on with the challenge */
    struct ws_attempt *attempt; /* in CLIENT_CONNECTING */
    struct ws_conn *ws;         /* until its on_close, whatever the state */
    /* Back-off in CLIENT_WAITING, handshake deadline in GREETED and PROVING, heartbeat in READY. */
    struct loop_timer *timer;
    struct link_backoff backoff;
    uint32_t heartbeat_ms;
    unsigned silent_beats; /* heartbeats since anything came in */
    char reason[REASON_MAX];
    struct json_parser *parser;
    struct arena arena;
    struct buf scratch;
    bool closing;
    struct loop_deferred finish;
    void (*on_closed)(void *context);
    void *closed_context;
};

static const char *client_state_name(enum client_state state) {
    switch (state) {
    case CLIENT_WAITING:
        return "waiting";
    case CLIENT_CONNECTING:
        return "connecting";
    case CLIENT_GREETED:
        return "greeted";
    case CLIENT_PROVING:
        return "proving";
    case CLIENT_READY:
        return "ready";
    case CLIENT_LEAVING:
        return "leaving";
    case CLIENT_REFUSED:
        break;
    }
    return "refused";
}

static void client_set_state(struct link_client *client, enum client_state next) {
    LOG_DEBUG_EVENT("link.client", LOG_TEXT("from", client_state_name(client->state)),
                    LOG_TEXT("to", client_state_name(next)));
    client->state = next;
}

static void client_lost(struct link_client *client, const char *reason, bool fatal) {
    if (fatal) {
        client_set_state(client, CLIENT_REFUSED);
        loop_timer_stop(client->timer);
    } else {
        client_set_state(client, CLIENT_WAITING);
        loop_timer_start(client->timer, link_backoff_next(&client->backoff), 0);
    }
    client->events->on_lost(client->context, reason, fatal);
}

/* Gives the link up; on_lost follows when the connection is closed. */
static void client_leave(struct link_client *client, uint16_t code, const char *reason) {
    str_copy(client->reason, sizeof(client->reason), str_from(reason));
    client_set_state(client, CLIENT_LEAVING);
    loop_timer_stop(client->timer);
    ws_conn_close(client->ws, code, reason);
}

/* --- Sending --- */

static struct buf *begin_message(struct link_client *client) {
    buf_reset(&client->scratch);
    return &client->scratch;
}

static void send_message(struct link_client *client, enum link_kind kind) {
    if (!client->scratch.overflow) {
        const bool binary = link_kind_is_binary(kind, client->version);
        ws_conn_send(client->ws, binary ? WS_BINARY : WS_TEXT, buf_str(&client->scratch));
    }
    if (client->scratch.capacity > KEEP_SCRATCH) {
        buf_clear(&client->scratch);
    }
    if (ws_conn_unsent(client->ws) > LIMIT_LINK_BACKLOG_BYTES && client->state != CLIENT_LEAVING) {
        client_leave(client, WS_CLOSE_POLICY, "the gateway does not read");
        ws_conn_abort(client->ws);
    }
}

static void send_hello(struct link_client *client) {
    struct link_hello hello = {.versions = {LINK_VERSION_1, LINK_VERSION_2},
                               .version_count = LINK_VERSION_NEWEST,
                               .join_token = str_from(client->config.join_token),
                               .device = client->config.device};
    memcpy(hello.public_key, client->public_key, sizeof(hello.public_key));
    link_encode_hello(begin_message(client), &hello);
    send_message(client, LINK_HELLO);
}

/* What there is to say once the gateway has admitted us; nothing, where the version has no such message. */
static void send_ready(struct link_client *client, enum link_kind kind) {
    if (client->state == CLIENT_READY && client->scratch.len > 0) {
        send_message(client, kind);
    }
}

/* --- What the gateway says --- */

static void handle_challenge(struct link_client *client, const struct link_challenge *challenge) {
    if (!link_version_from_number(challenge->version, &client->version)) {
        client_leave(client, WS_CLOSE_PROTOCOL, "the gateway chose a version that was not offered");
        return;
    }
    struct link_auth auth;
    struct buf proof;
    buf_init(&proof, 256);
    link_signed_bytes(&proof, challenge->nonce, client->public_key);
    bool signed_it = ed25519_sign(client->config.private_key, buf_str(&proof), auth.signature);
    buf_clear(&proof);
    if (!signed_it) {
        client_leave(client, WS_CLOSE_INTERNAL, "signing failed");
        return;
    }
    client_set_state(client, CLIENT_PROVING);
    link_encode_auth(begin_message(client), &auth);
    send_message(client, LINK_AUTH);
}

static void handle_welcome(struct link_client *client, const struct link_welcome *welcome) {
    client->heartbeat_ms = welcome->heartbeat_ms;
    client->silent_beats = 0;
    client_set_state(client, CLIENT_READY);
    loop_timer_start(client->timer, welcome->heartbeat_ms, welcome->heartbeat_ms);
    char provider_id[LIMIT_NAME_BYTES + 1];
    str_copy(provider_id, sizeof(provider_id), welcome->provider_id);
    client->events->on_ready(client->context, provider_id);
    if (client->state == CLIENT_READY && !client->closing) {
        client->events->on_status_due(client->context);
    }
}

static void client_unexpected(struct link_client *client, enum link_kind kind) {
    char reason[REASON_MAX];
    snprintf(reason, sizeof(reason), "message \"%s\" is not expected here", link_kind_name(kind));
    client_leave(client, WS_CLOSE_PROTOCOL, reason);
}

/* A kind that the gateway was not told of. */
static void handle_job(struct link_client *client, const struct link_job *job) {
    char words[REASON_MAX];
    if (link_job_kind_generates(job->kind)) {
        client->events->on_job(client->context, job->job, &job->request);
        return;
    }
    if (job->kind == LINK_JOB_KIND_SCORE && client->events->on_score != NULL) {
        client->events->on_score(client->context, job->job, &job->request, &job->answer);
        return;
    }
    snprintf(words, sizeof(words), "this device does no jobs of the kind \"%.*s\"", STR_ARG(job->kind_name));
    const struct link_error error = {
        .job = job->job, .failure = GEN_FAILURE_BAD_REQUEST, .message = str_from(words), .param = STR("kind")};
    link_client_send_error(client, &error);
}

static void handle_message(struct link_client *client, const struct link_message *message) {
    bool ready = client->state == CLIENT_READY;
    switch (message->kind) {
    case LINK_CHALLENGE:
        if (client->state == CLIENT_GREETED) {
            handle_challenge(client, &message->challenge);
            return;
        }
        break;
    case LINK_WELCOME:
        if (client->state == CLIENT_PROVING) {
            handle_welcome(client, &message->welcome);
            return;
        }
        break;
    case LINK_JOB:
        if (ready) {
            handle_job(client, &message->job);
            return;
        }
        break;
    case LINK_CANCEL:
        if (ready) {
            client->events->on_cancel(client->context, message->cancel_job);
            return;
        }
        break;
    case LINK_DRAIN:
        if (ready) {
            client->events->on_drain(client->context);
            return;
        }
        break;
    case LINK_WANT:
        if (ready) {
            if (client->events->on_want) {
                client->events->on_want(client->context, message->want.model);
            }
            return;
        }
        break;
    case LINK_UNKNOWN:
        return;
    case LINK_HELLO:
    case LINK_AUTH:
    case LINK_LEAVE:
    case LINK_STATUS:
    case LINK_ACCEPT:
    case LINK_PROGRESS:
    case LINK_DELTA:
    case LINK_DONE:
    case LINK_SCORED:
    case LINK_ERROR:
        break;
    }
    client_unexpected(client, message->kind);
}

/* A request that this version cannot take costs its job, not the link. */
static void handle_malformed(struct link_client *client, const struct link_message *message, const struct err *err) {
    if (client->state == CLIENT_READY && message->kind == LINK_JOB && message->job.job > 0) {
        const struct link_error error = {.job = message->job.job,
                                         .failure = GEN_FAILURE_BAD_REQUEST,
                                         .message = str_from(err->message),
                                         .param = str_from(err->field)};
        link_client_send_error(client, &error);
    } else {
        client_leave(client, WS_CLOSE_PROTOCOL, err->message);
    }
}

static void on_ws_message(void *context, enum ws_opcode opcode, struct str payload) {
    struct link_client *client = context;
    if (client->closing || client->state == CLIENT_LEAVING) {
        return;
    }
    client->silent_beats = 0;
    struct link_message message;
    struct err err = {0};
    const bool ok = opcode == WS_BINARY
                        ? link_decode_binary(client->version, payload, &message, &err)
                        : link_decode_text(client->version, client->parser, &client->arena, payload, &message, &err);
    if (ok) {
        handle_message(client, &message);
    } else {
        handle_malformed(client, &message, &err);
    }
    arena_clear(&client->arena);
}

static void on_ws_pong(void *context) {
    struct link_client *client = context;
    client->silent_beats = 0;
}

static void on_ws_close(void *context, uint16_t code, struct str reason) {
    struct link_client *client = context;
    client->ws = NULL;
    if (client->closing) {
        loop_defer(client->loop, &client->finish);
        return;
    }
    if (client->state == CLIENT_LEAVING) {
        client_lost(client, client->reason, false);
        return;
    }
    char text[REASON_MAX];
    snprintf(text, sizeof(text), "%.*s (%u)", STR_ARG(reason), code);
    client_lost(client, text, code == WS_CLOSE_POLICY);
}

static const struct ws_conn_events WS_EVENTS = {
    .on_message = on_ws_message, .on_close = on_ws_close, .on_pong = on_ws_pong};

static void on_ws_open(void *context, struct ws_conn *ws, const struct err *reason) {
    struct link_client *client = context;
    client->attempt = NULL;
    if (!ws) {
        client_lost(client, reason->message, false);
        return;
    }
    client->ws = ws;
    client->version = LINK_VERSION_1;
    client_set_state(client, CLIENT_GREETED);
    loop_timer_start(client->timer, LIMIT_LINK_HANDSHAKE_MS, 0);
    send_hello(client);
}

static bool client_try_connect(struct link_client *client, struct err *err) {
    const struct ws_connect_options options = {.url = client->config.url,
                                               .protocol = LINK_SUBPROTOCOL,
                                               .tls = client->config.tls,
                                               .max_message = LIMIT_LINK_MESSAGE_BYTES,
                                               .timeout_ms = LIMIT_LINK_HANDSHAKE_MS};
    client_set_state(client, CLIENT_CONNECTING);
    return ws_connect(&client->attempt, client->loop, &options, &WS_EVENTS, on_ws_open, client, err);
}

static void client_connect(struct link_client *client) {
    struct err err = {0};
    if (!client_try_connect(client, &err)) {
        client_lost(client, err.message, false);
    }
}

static void client_heartbeat(struct link_client *client) {
    link_backoff_reset(&client->backoff); /* the link has held for a heartbeat: it counts as a success */
    client->silent_beats++;
    if (client->silent_beats > SILENT_HEARTBEATS) {
        client_leave(client, WS_CLOSE_PROTOCOL, "no sign of life from the gateway for three heartbeats");
        ws_conn_abort(client->ws);
        return;
    }
    ws_conn_ping(client->ws);
    client->events->on_status_due(client->context);
}

static void on_timer(void *context) {
    struct link_client *client = context;
    switch (client->state) {
    case CLIENT_WAITING:
        client_connect(client);
        return;
    case CLIENT_GREETED:
    case CLIENT_PROVING:
        client_leave(client, WS_CLOSE_PROTOCOL, "the gateway took too long over the handshake");
        return;
    case CLIENT_READY:
        client_heartbeat(client);
        return;
    case CLIENT_CONNECTING:
    case CLIENT_LEAVING:
    case CLIENT_REFUSED:
        return;
    }
}

static void client_free(struct link_client *client) {
    loop_timer_free(client->timer);
    json_parser_free(client->parser);
    arena_clear(&client->arena);
    buf_clear(&client->scratch);
    free((char *)client->config.url);
    free((char *)client->config.join_token);
    free(client);
}

static void client_finish(struct loop_deferred *deferred) {
    struct link_client *client = (struct link_client *)((char *)deferred - offsetof(struct link_client, finish));
    void (*on_closed)(void *context) = client->on_closed;
    void *context = client->closed_context;
    client_free(client);
    if (on_closed) {
        on_closed(context);
    }
}

bool link_client_new(struct link_client **out, struct loop *loop, const struct link_client_config *config,
                     const struct link_client_events *events, void *context, struct err *err) {
    char *url = NULL;
    uint8_t public_key[ED25519_KEY_SIZE];
    if (!ed25519_public_from_private(config->private_key, public_key)) {
        return err_set(err, ERR_INVALID, "the device key is unusable");
    }
    if (!link_address_of(config->url, config->tls != NULL, &url, err)) {
        return false;
    }
    struct link_client *client = MEM_NEW(struct link_client);
    client->loop = loop;
    client->events = events;
    client->context = context;
    client->config = *config;
    client->config.url = url;
    client->config.join_token = mem_strdup(config->join_token ? config->join_token : "");
    memcpy(client->public_key, public_key, sizeof(public_key));
    client->timer = loop_timer_new(loop, on_timer, client);
    uint64_t seed = 0;
    random_bytes(&seed, sizeof(seed));
    link_backoff_init(&client->backoff, config->backoff_min_ms, config->backoff_max_ms, seed);
    client->parser = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH);
    arena_init(&client->arena, DECODE_ARENA_MAX);
    buf_init(&client->scratch, LIMIT_LINK_MESSAGE_BYTES);
    client->finish.run = client_finish;
    if (!client_try_connect(client, err)) {
        client_free(client);
        return false;
    }
    *out = client;
    return true;
}

bool link_client_connected(const struct link_client *client) {
    return client->state == CLIENT_READY;
}

void link_client_send_status(struct link_client *client, const struct link_status *status) {
    link_encode_status(begin_message(client), client->version, status);
    send_ready(client, LINK_STATUS);
}

void link_client_send_accept(struct link_client *client, const struct link_accept *accept) {
    link_encode_accept(begin_message(client), client->version, accept);
    send_ready(client, LINK_ACCEPT);
}

void link_client_send_progress(struct link_client *client, const struct link_progress *progress) {
    link_encode_progress(begin_message(client), client->version, progress);
    send_ready(client, LINK_PROGRESS);
}

static void send_delta(struct link_client *client, const struct link_delta *delta) {
    link_encode_delta(begin_message(client), client->version, delta);
    send_ready(client, LINK_DELTA);
}

void link_client_send_delta(struct link_client *client, const struct link_delta *delta) {
    struct link_delta rest = *delta;
    while (!link_delta_fits(&rest)) {
        const struct link_delta first = link_delta_cut(&rest);
        send_delta(client, &first);
    }
    send_delta(client, &rest);
}

void link_client_send_done(struct link_client *client, const struct link_done *done) {
    link_encode_done(begin_message(client), client->version, done);
    send_ready(client, LINK_DONE);
}

void link_client_send_scored(struct link_client *client, const struct link_scored *scored) {
    if (client->version >= LINK_VERSION_2) {
        link_encode_scored(begin_message(client), scored);
        send_ready(client, LINK_SCORED);
    }
}

void link_client_send_error(struct link_client *client, const struct link_error *error) {
    link_encode_error(begin_message(client), error);
    send_ready(client, LINK_ERROR);
}

void link_client_send_word(struct link_client *client, enum link_kind kind) {
    link_encode_word(begin_message(client), kind);
    send_ready(client, kind);
}

void link_client_close(struct link_client *client, void (*on_closed)(void *context), void *context) {
    client->closing = true;
    client->on_closed = on_closed;
    client->closed_context = context;
    loop_timer_stop(client->timer);
    if (client->attempt) {
        ws_connect_cancel(client->attempt);
        client->attempt = NULL;
    }
    if (client->ws) {
        client_set_state(client, CLIENT_LEAVING);
        ws_conn_close(client->ws, WS_CLOSE_GOING_AWAY, "the provider leaves");
    } else {
        loop_defer(client->loop, &client->finish);
    }
}
