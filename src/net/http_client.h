/* HTTP/1.1 requests to other servers, on the loop: the one place that uses libcurl (through net/curl_loop.h). A
 * transfer is one request and its answer, which comes in pieces. It ends in time and takes no more than it may; no
 * callback comes from inside a call of these functions. */
#ifndef NATARIS_NET_HTTP_CLIENT_H
#define NATARIS_NET_HTTP_CLIENT_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"
#include "net/address_lookup.h"
#include "net/http_failure.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    HTTP_CLIENT_TRANSFERS_MAX = 1024, /* at once; further ones fail */
    HTTP_CLIENT_HEAD_MAX = 64 * 1024, /* bytes of all heads that a transfer brings, those of redirects too */
    HTTP_CLIENT_DETAIL_MAX = 256,
};

struct http_client;
/* `allowed` is for URLs that strangers told, which net/web_url.h must understand: the addresses of the name are looked
 * up once and each must be allowed, the connection is pinned to them, and its own address is asked about once more when
 * its socket is made. It holds for all of a client's transfers, since they share connections. NULL: every address. The
 * first client of a process must be made before other threads make theirs. ERR_INTERNAL when libcurl does not start. */
MUST_CHECK bool http_client_new(struct http_client **out, struct loop *loop, address_allowed *allowed, struct err *err);
/* Cancels what is under way. Not from inside on_body. The loop must run once more. NULL is fine. */
void http_client_free(struct http_client *client);

/* Everything is borrowed for the call of http_transfer_start, but the body. Zero is the strictest value of each. */
struct http_transfer_options {
    const char *method; /* NULL: GET, or POST with a body */
    const char *url;
    const char *unix_path;             /* the socket that is connected to in place of the URL's host; NULL: none */
    const char *const *headers;        /* "name: value", the last is NULL; or NULL */
    const char *user_agent;            /* NULL: this program's */
    const char *ca_file;               /* NULL: the system's authorities */
    struct str body;                   /* borrowed until the end */
    uint64_t owner;                    /* whose it is: look-ups of names are in turn by that; with `allowed` */
    uint64_t from;                     /* asks for the bytes from there on; the server may send all the same */
    uint64_t body_max;                 /* bytes of the answer's body; one more ends the transfer */
    unsigned whole_ms;                 /* from the start to the last byte; 0: as long as bytes come, see slow_s */
    unsigned connect_ms;               /* name, connection and handshake; 0: part of whole_ms only */
    unsigned slow_s, slow_bytes_per_s; /* so long slower than that ends it; needed without whole_ms */
    unsigned redirects_max;            /* that are followed, to https only; 0: the redirect itself is the answer */
    bool plain;                        /* http as well as https; with `allowed` also `lax` of net/web_url.h */
    bool proxy;                        /* the environment's, if it names one; not of a client with `allowed` */
};

struct http_answer {
    int status;             /* 0: none came */
    int64_t length;         /* of its body; -1: it does not say */
    int64_t retry_after_ms; /* 0: it does not say */
    int64_t date_s;         /* its Date, in seconds since 1970; 0: it does not say */
};

struct http_result {
    enum http_failure failure;
    struct http_answer answer;
    uint64_t body_bytes; /* that on_body took */
    uint64_t took_ms;
    int os_error;                        /* errno of a connection that was not made; else 0 */
    const char *reason;                  /* of the failure, in words that name nothing of the request; static */
    char detail[HTTP_CLIENT_DETAIL_MAX]; /* the same with hosts and numbers, as far as they are known */
};

enum http_verdict {
    HTTP_BODY_TAKEN,
    HTTP_BODY_PAUSE, /* it was not taken: it comes again after http_transfer_resume */
    HTTP_BODY_STOP,  /* no more of it */
};

struct http_transfer_events {
    /* A piece of the body of the answer, which is not that of a redirect that is followed. NULL: it is dropped. The
     * transfer may be cancelled from inside; others may be started. */
    enum http_verdict (*on_body)(void *context, const struct http_answer *answer, struct str piece);
    /* Once, last, unless it was cancelled; the transfer is gone by then. `result` is borrowed. */
    void (*on_end)(void *context, const struct http_result *result);
};

struct http_transfer;
struct http_transfer *http_transfer_start(struct http_client *client, const struct http_transfer_options *options,
                                          const struct http_transfer_events *events, void *context);
/* After on_body said HTTP_BODY_PAUSE and has returned. */
void http_transfer_resume(struct http_transfer *transfer);
/* Nothing comes any more. Before on_end only. The body must live until the loop has turned once more. */
void http_transfer_cancel(struct http_transfer *transfer);

#endif
