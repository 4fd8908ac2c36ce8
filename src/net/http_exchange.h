/* One request to a server and its answer: whole, in pieces, or with another protocol. */
#ifndef NATARIS_NET_HTTP_EXCHANGE_H
#define NATARIS_NET_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/str.h"
#include "net/address_book.h"
#include "net/conn.h"
#include "net/http_chunks.h"
#include "net/http_request.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http_exchange;

const struct http_request *http_exchange_request(const struct http_exchange *exchange);
/* The exchange's own arena: freed with the exchange. Bounded by twice the request's limits and 1 MB. */
struct arena *http_exchange_arena(struct http_exchange *exchange);
/* The client's address: the one that a trusted proxy names, else that of the connection. Empty once it is gone. */
const char *http_exchange_peer(const struct http_exchange *exchange);
/* What the handler remembers with it from on_head on; NULL at first. */
void http_exchange_set_tag(struct http_exchange *exchange, void *tag);
void *http_exchange_tag(const struct http_exchange *exchange);

/* --- Whether it may go on --- */

/* An answer to on_head: the body may come, and on_request is called when it is there. Without `keep_body` it is read
 * and dropped: then the request has none. */
void http_exchange_admit(struct http_exchange *exchange, bool keep_body);
/* The client is known: its connection counts for its address no more, and what it sends counts for `owner`. False: that
 * one has too many bytes of bodies here already. In on_head or on_request. */
MUST_CHECK bool http_exchange_own(struct http_exchange *exchange, uint64_t owner);
/* How long its address has to wait before it may try another wrong key; 0: not at all. */
uint64_t http_exchange_key_wait_ms(const struct http_exchange *exchange);
void http_exchange_key_failed(struct http_exchange *exchange);

/* `user` is handed to on_gone: the client went away before the answer was complete (called at most once, never after
 * the answer's end, never inside a call of the handler's; after it the exchange is gone and must not be touched).
 * NULL on_gone: not interested; answering an exchange whose client is gone is harmless until then. */
void http_exchange_on_gone(struct http_exchange *exchange, void (*on_gone)(void *user), void *user);
/* Whatever ends this exchange, the connection closes after it. */
void http_exchange_close_after(struct http_exchange *exchange);
/* Bytes the client has not read yet. */
size_t http_exchange_unsent(const struct http_exchange *exchange);

/* --- The answer --- */

/* A header line to send (not the ones that frame the answer, which are made here). One with control bytes in its name
 * or value is dropped. */
struct http_response_header {
    const char *name;
    struct str value;
};
/* A whole answer; Content-Length, Date and Connection are added. HEAD requests get no body. Ends the exchange:
 * it must not be touched afterwards. */
void http_respond(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                  size_t header_count, struct str body);
/* An answer in pieces (chunked, or until close for HTTP/1.0): begin, write any number of times, end. */
void http_stream_begin(struct http_exchange *exchange, int status, const struct http_response_header *headers,
                       size_t header_count);
void http_stream_write(struct http_exchange *exchange, struct str data);
void http_stream_end(struct http_exchange *exchange); /* ends the exchange */
/* Breaks the connection in mid-answer so that the client sees it was not complete. Ends the exchange. */
void http_stream_abort(struct http_exchange *exchange);
/* To be called within on_request only. Answers 101 with `headers` and hands the raw connection over with any bytes that
 * came early (`early`, borrowed until the next iteration). Ends the exchange. Returns the conn; set its events at
 * once. */
struct conn *http_upgrade(struct http_exchange *exchange, const struct http_response_header *headers,
                          size_t header_count, struct str *early);

/* --- For its connection (net/http_conn.h); nobody else looks inside --- */

enum { HTTP_DATE_LENGTH = 29, HTTP_DATE_SIZE = 32 };

/* What all exchanges of a server share. */
struct http_exchange_host {
    struct loop *loop;
    size_t head_bytes, body_bytes; /* of a request, at most */
    /* See http_exchange_admit and http_exchange_own. */
    void (*admitted)(void *owner, bool keep_body);
    bool (*owned)(void *owner, uint64_t account);
    bool draining; /* connections close after the answer that is on its way, and it says so */
    /* The exchange is answered or broken off: the owner's next request may come, or it closes. */
    void (*answered)(void *owner, bool close);
    /* The owner lets go of the connection; what came early is borrowed to the end of the iteration. */
    struct str (*upgraded)(void *owner);
    int64_t date_second;       /* what `date` says */
    uint64_t date_checked_ms;  /* loop time when the clock was last read */
    char date[HTTP_DATE_SIZE]; /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

enum http_answer_state {
    HTTP_ANSWER_NONE,
    HTTP_ANSWER_STREAMING,
    HTTP_ANSWER_ENDED, /* freed at the end of the iteration */
};

struct http_exchange {
    struct http_exchange_host *host; /* this, owner and conn: only as long as the client is there */
    void *owner;
    struct conn *conn; /* NULL once the client is gone */
    struct loop *loop;
    struct http_request request;
    struct arena arena;
    struct buf body; /* gathers a body that does not arrive with its head */
    struct http_chunks chunks;
    void (*on_gone)(void *user);
    void *user;
    void *tag;                         /* the handler's */
    struct address_place *place;       /* that it counts for, held; NULL: none */
    char forwarded[ADDRESS_TEXT_SIZE]; /* by a trusted proxy; empty: none did */
    struct loop_deferred release;      /* end of the iteration: on_gone, free */
    enum http_answer_state answer;
    bool chunked_answer, close_after;
};

struct http_exchange *http_exchange_new(struct http_exchange_host *host, struct conn *conn, void *owner);
/* The answer is complete or broken off: tells the owner and frees it at the end of the iteration. */
void http_exchange_end(struct http_exchange *exchange);
/* The client is gone; at the end of a iteration, outside of any handler. */
void http_exchange_lose_client(struct http_exchange *exchange);

#endif
