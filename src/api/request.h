/* Inside the API: one HTTP request on its way from the router to its answer, and the API's own state. */
#ifndef NATARIS_API_REQUEST_H
#define NATARIS_API_REQUEST_H

#include "api/api.h"
#include "api/router.h"
#include "base/json_read.h"

struct call_draft; /* call/call.c */

struct api {
    struct loop *loop;
    struct auth *auth;   /* borrowed */
    struct store *store; /* borrowed */
    struct api_backend backend;
    struct json_parser *parser;
    struct loop_timer *tick; /* runs while calls are alive */
    bool ticking;
    struct call *calls;
    size_t call_count, pending_count;
    struct claim *claims; /* by scope: call/claim.c */
    struct claim *lingering_claims;
    struct run *starting;        /* runs that wait for the next turn of the loop: call/run.c */
    struct loop_timer *starter;  /* fires in it */
    struct jobs *jobs;           /* jobs/jobs.h */
    struct workflows *workflows; /* workflow/workflows.h */
    bool draining;               /* no run begins any more */
    struct buf text;             /* what is being written: respond_buffer */
    struct prefix_key prefix_key;
    struct conversation_desk *conversations; /* uthash: conversation/call.c */
    size_t conversations_lingering;
};

/* Lives in the exchange's arena, so until the exchange is answered. */
struct api_request {
    struct api *api;
    struct http_exchange *exchange;
    const struct route *route; /* NULL: unknown, or refused before it could be known */
    struct str parameter;      /* what stands for {id}, as it came */
    uint64_t started_ms;       /* loop clock */
    char id[CALL_REQUEST_ID_SIZE];
    struct auth_identity identity; /* once the key is known; empty before and without one */
    struct call_draft *draft;      /* a call on its way, before it is one */
    void *handler_data;            /* the handler's own, in the exchange's arena */
    struct call *call;             /* once it has become one; then the call's own line goes into the log */
};

/* Handlers of the routes; each answers the request, now or later. */
void chat_handle(struct api_request *request);
void inference_handle(struct api_request *request);
void jobs_handle_create(struct api_request *request);
void jobs_handle_list(struct api_request *request);
void jobs_handle_one(struct api_request *request);
void jobs_handle_cancel(struct api_request *request);
void models_handle_list(struct api_request *request);
void models_handle_one(struct api_request *request);
void usage_handle(struct api_request *request);
void usage_handle_requests(struct api_request *request);
void earnings_handle(struct api_request *request);
void conversations_handle_create(struct api_request *request);
void conversations_handle_list(struct api_request *request);
void conversations_handle_one(struct api_request *request);
void conversations_handle_delete(struct api_request *request);
void workflows_handle_list(struct api_request *request);
void workflows_handle_one(struct api_request *request);
void workflows_handle_cancel(struct api_request *request);
void workflows_handle_estimate(struct api_request *request);
void webhooks_handle_create(struct api_request *request);
void webhooks_handle_list(struct api_request *request);
void webhooks_handle_one(struct api_request *request);
void webhooks_handle_update(struct api_request *request);
void webhooks_handle_delete(struct api_request *request);
void webhooks_handle_rotate(struct api_request *request);
void webhooks_handle_test(struct api_request *request);
void webhooks_handle_deliveries(struct api_request *request);
void webhooks_handle_redeliver(struct api_request *request);
void devices_handle_list(struct api_request *request);
void devices_handle_one(struct api_request *request);
void health_handle_live(struct api_request *request);
void health_handle_ready(struct api_request *request);
void openapi_handle(struct api_request *request);
void link_handle(struct api_request *request);

#endif
