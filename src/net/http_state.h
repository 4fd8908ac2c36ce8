/* What a server, its connections and their exchanges consist of: for the http_*.c files of the server. */
#ifndef NATARIS_NET_HTTP_STATE_H
#define NATARIS_NET_HTTP_STATE_H

#include "base/arena.h"
#include "base/buf.h"
#include "net/deadline.h"
#include "net/http_chunks.h"
#include "net/http_server.h"

/* How long a client may take to read our last answer and close (conn_close). */
enum { HTTP_LINGER_MS = 2000, HTTP_DATE_LENGTH = 29, HTTP_DATE_SIZE = 32 };

struct http_server {
    struct loop *loop;
    struct listener *listener; /* NULL once draining */
    struct http_server_config config;
    const struct http_server_events *events;
    void *context;
    unsigned port;
    struct http_conn *conns;
    size_t conn_count;
    size_t bodies_held; /* bytes of bodies, of all connections, read and not answered yet */
    bool draining, closing;
    void (*on_closed)(void *context);
    void *on_closed_context;
    struct loop_deferred closed;
    int64_t date_second;       /* what `date` says */
    uint64_t date_checked_ms;  /* loop time when the clock was last read */
    char date[HTTP_DATE_SIZE]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

enum http_conn_state {
    HTTP_CONN_HEAD,      /* waiting for a whole request head, perhaps with no byte of it yet */
    HTTP_CONN_LENGTH,    /* reading a body of known length */
    HTTP_CONN_CHUNKED,   /* reading a chunked body */
    HTTP_CONN_ANSWERING, /* the handler has the exchange; what comes early is kept */
    HTTP_CONN_REFUSING,  /* the handler answers a refusal; what comes is dropped */
    HTTP_CONN_CLOSING,   /* conn_close was called */
    HTTP_CONN_UPGRADED,  /* the connection is somebody else's; memory lives to the end of this turn */
    HTTP_CONN_GONE,      /* on_close was called; memory lives to the end of this turn */
};

struct http_conn {
    struct http_server *server; /* NULL once upgraded or gone */
    struct loop *loop;
    struct conn *conn;
    struct http_conn *previous, *next;
    struct http_exchange *exchange; /* being read or answered; NULL between requests */
    struct str rest;                /* during http_conn_process: bytes not used yet, in the read buffer or in `early` */
    struct buf early;               /* bytes kept from turn to turn: an incomplete head, or requests sent ahead */
    size_t scanned;                 /* bytes of an incomplete head known not to hold its end */
    struct deadline deadline;
    struct loop_deferred proceed; /* end of turn: go on with what came early, or free */
    enum http_conn_state state;
    bool processing, head_started;
};

enum http_answer_state {
    HTTP_ANSWER_NONE,
    HTTP_ANSWER_STREAMING,
    HTTP_ANSWER_ENDED, /* freed at the end of the turn */
};

struct http_exchange {
    struct http_conn *http; /* NULL once the client is gone */
    struct loop *loop;
    struct http_request request;
    struct arena arena;
    struct buf body; /* gathers a body that does not arrive with its head */
    size_t content_length;
    size_t held; /* its part of the server's bodies_held */
    struct http_chunks chunks;
    void (*on_gone)(void *user);
    void *user;
    struct loop_deferred release; /* end of turn: on_gone, free */
    enum http_answer_state answer;
    bool chunked_request, head_only, chunked_answer, close_after;
};

#endif
