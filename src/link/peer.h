/* One provider's link, as the gateway has it: its handshake, its messages, its end. */
#ifndef NATARIS_LINK_PEER_H
#define NATARIS_LINK_PEER_H

#include "base/arena.h"
#include "base/buf.h"
#include "link/message.h"
#include "link/pace.h"
#include "link/refused.h"
#include "link/watch.h"
#include "net/http_server.h"
#include "net/loop.h"

struct link_peer;

/* What the owner of a server is told of all its links, and what it asks of them. */
struct link_server_events {
    /* The provider proved that it holds the key of `hello`. Decide now or later with link_peer_admit / link_peer_deny;
     * `hello` is valid until then. */
    void (*on_hello)(void *context, struct link_peer *peer, const struct link_hello *hello);
    /* The rest only after admission. Borrowed for the call. */
    void (*on_status)(void *context, struct link_peer *peer, const struct link_status *status);
    void (*on_accept)(void *context, struct link_peer *peer, const struct link_accept *accept);
    /* may be NULL: nobody asks */
    void (*on_progress)(void *context, struct link_peer *peer, const struct link_progress *progress);
    void (*on_delta)(void *context, struct link_peer *peer, const struct link_delta *delta);
    void (*on_done)(void *context, struct link_peer *peer, const struct link_done *done);
    /* may be NULL: no answers are given to score */
    void (*on_scored)(void *context, struct link_peer *peer, const struct link_scored *scored);
    void (*on_error)(void *context, struct link_peer *peer, const struct link_error *error);
    void (*on_drain)(void *context, struct link_peer *peer);
    void (*on_leave)(void *context, struct link_peer *peer); /* its owner takes it out, for good; may be NULL */
    /* A watched link (link_peer_watch) has said nothing for watch_silence_ms although it was pinged; and the first word
     * after that. The link stays open in between: a device may only be busy or asleep. */
    void (*on_silent)(void *context, struct link_peer *peer); /* both may be NULL */
    void (*on_alive)(void *context, struct link_peer *peer);
    /* The link is closed (also after a denial or without admission, but only if on_hello was called). Last event of a
     * peer; it is freed after this returns. */
    void (*on_gone)(void *context, struct link_peer *peer, const char *reason);
};

struct link_server_config {
    uint32_t heartbeat_ms; /* asked of providers; a link without any frame for three of these is closed */
    uint32_t handshake_ms;
    size_t backlog_bytes;  /* unsent bytes over which a link is closed ... */
    size_t backlogs_bytes; /* ... and those of all, over which each is closed that takes nothing; 0: no limit */
    /* Watched links are pinged so often while nothing comes in, and reported after so long a silence. 0: never. A time
     * in which this loop itself stood still is nobody's silence. */
    uint32_t watch_ping_ms, watch_silence_ms;
    uint32_t messages_per_s, bytes_per_s; /* of one link, which is read more slowly past them; 0: no limit */
};

/* --- For the owner of the server --- */

void link_peer_admit(struct link_peer *peer, const char *provider_id);
void link_peer_deny(struct link_peer *peer, const char *reason); /* close code 1008 */
/* A job that is too large for the link ends with on_error, never inside this call. */
void link_peer_send_job(struct link_peer *peer, uint64_t job, const struct gen_request *request);
/* Whether jobs reach it with their scopes, by which it keeps the caches of prompts apart (version 2). */
bool link_peer_has_scopes(const struct link_peer *peer);
/* False: this link has no such jobs, or one message cannot hold it. Its end is on_scored, or on_error. */
MUST_CHECK bool link_peer_send_score(struct link_peer *peer, uint64_t job, const struct gen_request *request,
                                     const struct gen_answer *answer);
void link_peer_send_cancel(struct link_peer *peer, uint64_t job);
void link_peer_send_want(struct link_peer *peer, struct str model);
/* A link with jobs is watched, so that a device which stops answering is noticed in less than two seconds; others have
 * their heartbeat. The cost is by watched link, nothing for the idle ones. */
void link_peer_watch(struct link_peer *peer, bool watched);
/* Closes for a violation found above the link (close code 1002). */
void link_peer_close(struct link_peer *peer, const char *reason);
void link_peer_set_user(struct link_peer *peer, void *user);
void *link_peer_user(const struct link_peer *peer);
const char *link_peer_address(const struct link_peer *peer);

/* --- For the server --- */

/* What all links of a server share. */
struct link_peer_host {
    struct loop *loop;
    struct link_server_config config;
    const struct link_server_events *events;
    void *context; /* of the events */
    struct link_peer *peers;
    size_t open_count, admitted_count;
    size_t unsent; /* of all links, as the server last looked at them */
    bool crowded;  /* that was too much */
    bool draining; /* whoever is admitted from now on is told so */
    struct link_watch watch;
    struct link_pace_limits pace;
    struct json_parser *parser;
    struct arena arena; /* of the message being handled */
    struct buf scratch; /* of the message being sent */
    struct link_refused refused;
    void (*on_closed)(struct link_peer_host *host); /* a link is gone, and no longer counted */
};

void link_peer_host_init(struct link_peer_host *host, struct loop *loop, const struct link_server_config *config,
                         const struct link_server_events *events, void *context);
void link_peer_host_clear(struct link_peer_host *host); /* no link is left */
/* Takes the exchange over as one more link. False: it is untouched, and `err` says what it lacks. */
MUST_CHECK bool link_peer_open(struct link_peer_host *host, struct http_exchange *exchange, struct err *err);
struct link_peer *link_peer_next(const struct link_peer *peer); /* in the host's list; NULL: none */
/* Closes it if it has been silent for too long, or takes nothing of what it is sent; adds to the host's `unsent`. */
void link_peer_check(struct link_peer *peer, uint64_t now_ms);
/* Only to admitted ones. */
void link_peer_send_drain(struct link_peer *peer);
void link_peer_shut_down(struct link_peer *peer); /* close code 1001 */

#endif
