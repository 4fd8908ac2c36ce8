/* One HTTP request on its way from the router to its answer, and the API's own state. */
#ifndef NATARIS_API_REQUEST_H
#define NATARIS_API_REQUEST_H

#include "api/backend.h"
#include "api/receipt_heads.h"
#include "api/refusal_log.h"
#include "api/route.h"
#include "base/buf.h"
#include "call/calls.h"
#include "format/format.h"
#include "wire/id.h"

struct http_call;     /* api/http_call.h */
struct conversations; /* conversation/conversations.h */
struct jobs;          /* jobs/jobs.h */
struct router;        /* api/router.h */
struct workflows;     /* workflow/workflows.h */

struct api {
    struct calls *calls; /* borrowed */
    struct api_backend backend;
    const struct formats *formats;       /* borrowed */
    struct conversations *conversations; /* owned, like the next two */
    struct workflows *workflows;
    struct jobs *jobs;
    struct router *router;        /* owned */
    struct http_call *http_calls; /* alive, for keep-alives */
    struct loop_timer *tick;      /* runs while they are */
    bool ticking;
    struct buf text; /* what is being written: respond_buffer */
    struct refusal_log refusals;
    uint8_t receipt_key[ED25519_KEY_SIZE];
    struct receipt_heads heads;
};

/* Lives in the exchange's arena, so until the exchange is answered. */
struct api_request {
    struct api *api;
    struct http_exchange *exchange;
    const struct route *route;       /* NULL: unknown, or refused before it could be known */
    struct str parameter;            /* what stands for {id}, as it came */
    const struct envelope *envelope; /* how it is refused; never NULL */
    uint64_t started_ms;             /* loop clock */
    char id[ID_SIZE];
    struct auth_identity identity; /* once the key is known; empty before and without one */
    void *handler_data;            /* the handler's own, in the exchange's arena */
    bool logged_as_call;           /* the call's own line goes into the log */
    bool at_head;                  /* its body is not here yet, and waits for its key */
};

/* A new one; `request` is in the exchange's arena, or lives until the exchange is answered. */
void request_init(struct api_request *request, struct api *api, struct http_exchange *exchange);
/* Whether its key is a test key. */
bool request_is_test(const struct api_request *request);

#endif
