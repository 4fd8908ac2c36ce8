/* What one connection of a server consists of: for http_conn.c, which has its life, and http_reading.c, which takes its
 * requests apart. */
#ifndef NATARIS_NET_HTTP_CONN_STATE_H
#define NATARIS_NET_HTTP_CONN_STATE_H

#include "base/buf.h"
#include "net/deadline.h"
#include "net/http_host.h"

enum http_conn_state {
    HTTP_CONN_HEAD,      /* waiting for a whole request head, perhaps with no byte of it yet */
    HTTP_CONN_ASKING,    /* the handler has the head and says whether the body may come; what comes early is kept */
    HTTP_CONN_LENGTH,    /* reading a body of known length */
    HTTP_CONN_CHUNKED,   /* reading a chunked body */
    HTTP_CONN_ANSWERING, /* the handler has the exchange; what comes early is kept */
    HTTP_CONN_REFUSING,  /* the handler answers a refusal; what comes is dropped */
    HTTP_CONN_CLOSING,   /* conn_close was called */
    HTTP_CONN_UPGRADED,  /* the connection is somebody else's; memory lives to the end of this iteration */
    HTTP_CONN_GONE,      /* on_close was called; memory lives to the end of this iteration */
};

struct http_conn {
    struct http_conn_host *host; /* NULL once upgraded or gone */
    struct loop *loop;
    struct conn *conn;
    struct http_conn *prev, *next;
    struct http_exchange *exchange; /* being read or answered; NULL between requests */
    struct http_upload upload;      /* of its body, while that is not all there */
    size_t held;                    /* bytes of its body that count in the host's room */
    struct http_share *share;       /* whose they are; NULL: nobody's yet */
    size_t asked_bytes;             /* in ASKING: bytes of its body that count for its address */
    struct str rest;                /* during http_conn_process: bytes not used yet, in the read buffer or in `early` */
    /* bytes kept from one iteration to the next: an incomplete head, or requests sent ahead */
    struct buf early;
    size_t scanned; /* bytes of an incomplete head known not to hold its end */
    struct deadline deadline;
    struct loop_deferred proceed; /* end of the iteration: go on with what came early, or free */
    size_t body_read;             /* bytes of the body, kept or dropped */
    enum http_conn_state state;
    bool processing, head_started;
    bool admitted;  /* the handler lets the body of this request come */
    bool body_kept; /* ... and wants to have it; else it is read and dropped */
};

#endif
