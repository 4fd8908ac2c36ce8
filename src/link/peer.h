/* What link_server.c (the set of links) and link_peer.c (one link) share. */
#ifndef NATARIS_LINK_PEER_H
#define NATARIS_LINK_PEER_H

#include "link/server.h"
#include "net/ws_conn.h"
#include "wire/limits.h"

enum {
    LINK_PROVIDER_MESSAGE_MAX = 2 * LIMIT_DELTA_BYTES, /* nothing a provider may send is longer */
    LINK_DECODE_ARENA_MAX = 4 * LINK_PROVIDER_MESSAGE_MAX,
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
    struct link_server *server;
    struct ws_conn *ws;
    enum peer_state state;
    bool announced; /* on_hello was called, so on_gone is owed */
    struct peer_hello *hello;
    uint64_t heard_ms;                 /* when connected, then when anything came in last */
    bool watched, silent;              /* silent: on_silent was called, on_alive is owed */
    uint64_t watch_from_ms, pinged_ms; /* silence counts from the later of heard_ms and watch_from_ms */
    void *user;
    struct link_peer *prev, *next, *watch_prev, *watch_next;
};

/* A job too large for the link: its error is reported at the end of the turn, never inside link_peer_send_job. */
struct refused_job {
    struct link_peer *peer;
    uint64_t job;
    struct refused_job *next;
};

struct link_server {
    struct loop *loop;
    struct link_server_config config;
    const struct link_server_events *events;
    void *context;
    struct link_peer *peers;
    size_t open_count, admitted_count;
    bool draining, closing;
    struct loop_timer *sweep_timer;
    struct link_peer *watched;      /* links that have jobs */
    struct link_peer *watch_next;   /* the one to be looked at next, while they are gone through */
    struct loop_timer *watch_timer; /* runs while `watched` is not empty */
    uint64_t watch_due_ms;
    struct json_parser *parser;
    struct arena arena; /* of the message being handled */
    struct buf scratch; /* of the message being sent */
    struct refused_job *refused;
    struct loop_deferred refuse, finish;
    void (*on_closed)(void *context);
    void *closed_context;
};

void link_peer_set_state(struct link_peer *peer, enum peer_state next);
/* A second call changes nothing. */
void link_peer_close_with(struct link_peer *peer, uint16_t code, const char *reason);
void link_peer_send_drain(struct link_peer *peer);
extern const struct ws_conn_events LINK_PEER_EVENTS; /* their context is the peer */

/* link_server.c: the peer's connection is closed and on_gone was called; frees it. */
void link_server_forget(struct link_server *server, struct link_peer *peer);
/* link_watch.c */
void link_watch_start(struct link_server *server); /* makes the timer */
void link_watch_heard(struct link_peer *peer);     /* anything came in; on_alive may follow, which may close the peer */
/* link_server.c: reports the job as failed at the end of the turn. */
void link_server_refuse_job(struct link_server *server, struct link_peer *peer, uint64_t job);

#endif
