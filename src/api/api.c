#include "api/api.h"

#include "api/respond.h"
#include "api/router.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/call.h"
#include "call/run.h"
#include "conversation/conversations.h"
#include "jobs/jobs.h"
#include "workflow/workflows.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REQUEST_ID_RANDOM = 22,
    /* An answer in which every byte has to be escaped as \u00xx, and what stands around it. */
    API_TEXT_BYTES = 6 * LIMIT_ANSWER_BYTES + 64 * 1024,
};

static void on_tick(void *context) {
    struct api *api = context;
    call_tick(api, loop_now_ms(api->loop));
}

struct api *api_new(struct loop *loop, struct auth *auth, struct store *store, const struct api_backend *backend) {
    struct api *api = MEM_NEW(struct api);
    api->loop = loop;
    api->auth = auth;
    api->store = store;
    api->backend = *backend;
    api->parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    api->tick = loop_timer_new(loop, on_tick, api);
    api->starter = loop_timer_new(loop, runs_start_due, api);
    api->jobs = jobs_new(api);
    api->workflows = workflows_new(api);
    buf_init(&api->text, API_TEXT_BYTES);
    prefix_key_init(&api->prefix_key);
    return api;
}

void api_free(struct api *api) {
    if (api == NULL) {
        return;
    }
    assert(api->call_count == 0 && api->pending_count == 0);
    claims_clear(api);
    conversations_clear(api);
    jobs_free(api->jobs);
    workflows_free(api->workflows);
    runs_clear(api);
    loop_timer_free(api->starter);
    loop_timer_free(api->tick);
    json_parser_free(api->parser);
    buf_clear(&api->text);
    free(api);
}

void api_resume(struct api *api) {
    jobs_open(api->jobs);
    workflows_open(api->workflows);
}

void api_drain(struct api *api) {
    api->draining = true;
    workflows_drain(api->workflows);
}

size_t api_call_count(const struct api *api) {
    return api->call_count + api->pending_count;
}

void api_call_each(const struct api *api, void (*visit)(void *context, struct call *call), void *context) {
    for (struct call *call = api->calls; call != NULL; call = call->next) {
        visit(context, call);
    }
}

static void request_init(struct api_request *request, struct api *api, struct http_exchange *exchange) {
    *request = (struct api_request){.api = api, .exchange = exchange, .started_ms = loop_now_ms(api->loop)};
    int prefix = snprintf(request->id, sizeof(request->id), "req_");
    random_base62(request->id + prefix, REQUEST_ID_RANDOM);
}

/* The client went away while its key was looked up. */
static void on_gone(void *user) {
    struct api_request *request = user;
    auth_cancel(request->api->auth, request);
}

static void on_identity(void *context, const struct auth_identity *identity, const struct err *err) {
    struct api_request *request = context;
    http_exchange_on_gone(request->exchange, NULL, NULL);
    if (identity == NULL) {
        struct fault error;
        fault_from_err(&error, err);
        respond_error(request, &error);
        return;
    }
    request->identity = *identity;
    request->route->handle(request);
}

static void request_route(struct api_request *request) {
    const struct http_request *http = http_exchange_request(request->exchange);
    char allow[ROUTE_ALLOW_SIZE];
    struct fault error;
    switch (route_find(http->method, http->path, &request->route, &request->parameter, allow)) {
    case ROUTE_UNKNOWN_PATH:
        fault_set(&error, FAULT_NOT_FOUND, "There is no such route. GET /openapi.json lists the routes.");
        respond_error(request, &error);
        return;
    case ROUTE_WRONG_METHOD:
        fault_set(&error, FAULT_METHOD_NOT_ALLOWED, "This route does not have that method. It has: %s.", allow);
        respond_error_header(request, &error, "Allow", str_from(allow));
        return;
    case ROUTE_FOUND:
        break;
    }
    if (request->route->needs_key) {
        http_exchange_on_gone(request->exchange, on_gone, request);
        auth_lookup(request->api->auth, http_request_header(http, "authorization"), request->started_ms, on_identity,
                    request);
    } else {
        request->route->handle(request);
    }
}

void api_on_request(void *context, struct http_exchange *exchange) {
    struct api *api = context;
    struct api_request *request = ARENA_NEW(http_exchange_arena(exchange), struct api_request);
    if (request == NULL) {
        api_on_refused(api, exchange, 413, "the request is too large");
        return;
    }
    request_init(request, api, exchange);
    if (str_equal(http_exchange_request(exchange)->method, STR("OPTIONS"))) {
        respond_preflight(request);
    } else {
        request_route(request);
    }
}

static enum fault_code refusal_code(int status) {
    switch (status) {
    case 408:
        return FAULT_REQUEST_TIMEOUT;
    case 413:
    case 414:
    case 431:
        return FAULT_TOO_LARGE;
    case 500:
        return FAULT_INTERNAL;
    case 503:
        return FAULT_UNAVAILABLE;
    default:
        return FAULT_INVALID_REQUEST;
    }
}

void api_on_refused(void *context, struct http_exchange *exchange, int status, const char *why) {
    struct api_request request;
    struct fault error;
    request_init(&request, context, exchange);
    fault_set(&error, refusal_code(status), "The HTTP request was refused: %s.", why);
    error.status = status;
    respond_error(&request, &error);
}
