#include "api/api.h"

#include "api/gate.h"
#include "api/headers.h"
#include "api/http_call.h"
#include "api/respond.h"
#include "api/route_hint.h"
#include "api/router.h"
#include "base/mem.h"
#include "conversation/conversations.h"
#include "jobs/jobs.h"
#include "workflow/workflows.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* An answer in which every byte has to be escaped as \u00xx, and what stands around it. */
    API_TEXT_BYTES = 6 * LIMIT_ANSWER_BYTES + 10 * LIMIT_LOGPROBS_BYTES + 64 * 1024,
};

struct api *api_new(struct calls *calls, const struct formats *formats, const struct api_backend *backend) {
    struct api *api = MEM_NEW(struct api);
    api->calls = calls;
    api->backend = *backend;
    api->formats = formats;
    if (backend->receipt_key != NULL) {
        memcpy(api->receipt_key, backend->receipt_key, sizeof(api->receipt_key));
        api->backend.receipt_key = NULL; /* it was borrowed */
    }
    api->router = router_new(formats);
    api->tick = loop_timer_new(calls->loop, http_calls_tick_due, api);
    api->conversations = conversations_new(calls, backend->titles_off, backend->summaries_off);
    api->workflows = workflows_new(calls);
    api->jobs = jobs_new(calls, api->workflows, formats);
    buf_init(&api->text, API_TEXT_BYTES);
    return api;
}

void api_free(struct api *api) {
    if (api == NULL) {
        return;
    }
    assert(calls_count(api->calls) == 0);
    conversations_free(api->conversations);
    jobs_free(api->jobs);
    workflows_free(api->workflows);
    router_free(api->router);
    receipt_heads_clear(&api->heads);
    loop_timer_free(api->tick);
    buf_clear(&api->text);
    free(api);
}

void api_resume(struct api *api) {
    jobs_open(api->jobs);
    workflows_open(api->workflows);
}

void api_drain(struct api *api) {
    api->calls->draining = true;
    workflows_drain(api->workflows);
}

/* The client went away while its key was looked up. */
static void on_gone(void *user) {
    struct api_request *request = user;
    auth_cancel(request->api->calls->auth, request);
}

/* Its key is good, or it needs none: the handler has it, once its body is here. Nobody's body is kept. */
static void request_enter(struct api_request *request) {
    struct fault fault;
    const bool known = request->route->needs_key;
    if (known && !gate_enter(request, &fault)) {
        respond_fault(request, &fault);
    } else if (request->at_head) {
        http_exchange_set_tag(request->exchange, request);
        http_exchange_admit(request->exchange, known);
    } else {
        request->route->handle(request);
    }
}

static void on_identity(void *context, const struct auth_identity *identity, const struct err *err) {
    struct api_request *request = context;
    http_exchange_on_gone(request->exchange, NULL, NULL);
    if (identity == NULL) {
        struct fault fault;
        gate_key_failed(request, err, &fault);
        respond_fault(request, &fault);
        return;
    }
    request->identity = *identity;
    request_enter(request);
}

static void request_route(struct api_request *request) {
    const struct http_request *http = http_exchange_request(request->exchange);
    char allow[ROUTE_ALLOW_SIZE];
    struct str authorization;
    struct fault fault;
    if (!headers_check(http, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    switch (router_find(request->api->router, http->method, http->path, &request->route, &request->parameter, allow)) {
    case ROUTE_UNKNOWN_PATH:
        route_hint_set(request->api->router, http->method, http->path, &fault);
        respond_fault(request, &fault);
        return;
    case ROUTE_WRONG_METHOD:
        fault_set(&fault, FAULT_METHOD_NOT_ALLOWED, "This route does not have that method. It has: %s.", allow);
        respond_fault_header(request, &fault, "Allow", str_from(allow));
        return;
    case ROUTE_FOUND:
        break;
    }
    if (!request->route->needs_key) {
        request_enter(request);
    } else if (!headers_read_key(http, http_exchange_arena(request->exchange), &authorization, &fault) ||
               !gate_may_try_key(request, authorization, &fault)) {
        respond_fault(request, &fault);
    } else {
        http_exchange_on_gone(request->exchange, on_gone, request);
        auth_lookup(request->api->calls->auth, authorization, request->started_ms, on_identity, request);
    }
}

/* How it is refused is known from its path alone. */
static void request_start(struct api_request *request, struct api *api, struct http_exchange *exchange) {
    request_init(request, api, exchange);
    request->envelope = router_envelope(api->router, http_exchange_request(exchange)->path);
}

/* Before its body or with it. */
static void request_begin(struct api *api, struct http_exchange *exchange, bool at_head) {
    struct api_request *request = ARENA_NEW(http_exchange_arena(exchange), struct api_request);
    if (request == NULL) {
        api_on_refused(api, exchange, 413, "the request is too large");
        return;
    }
    request_start(request, api, exchange);
    request->at_head = at_head;
    if (str_equal(http_exchange_request(exchange)->method, STR("OPTIONS"))) {
        respond_preflight(request);
    } else {
        request_route(request);
    }
}

void api_on_head(void *context, struct http_exchange *exchange) {
    request_begin(context, exchange, true);
}

void api_on_request(void *context, struct http_exchange *exchange) {
    struct api_request *request = http_exchange_tag(exchange);
    if (request == NULL) {
        request_begin(context, exchange, false);
    } else {
        request->at_head = false; /* all else was asked when its head came */
        request->route->handle(request);
    }
}

static enum fault_code refusal_code(int status) {
    switch (status) {
    case 405:
        return FAULT_METHOD_NOT_ALLOWED;
    case 408:
        return FAULT_REQUEST_TIMEOUT;
    case 413:
    case 414:
    case 431:
        return FAULT_TOO_LARGE;
    case 429:
        return FAULT_RATE_LIMIT_EXCEEDED;
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
    struct fault fault;
    request_start(&request, context, exchange);
    fault_set(&fault, refusal_code(status), "The HTTP request was refused: %s.", why);
    fault.status = status;
    if (status == 405) {
        respond_fault_header(&request, &fault, "Allow", STR(RESPOND_METHODS));
    } else {
        respond_fault(&request, &fault);
    }
}
