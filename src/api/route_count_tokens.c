#include "api/route_count_tokens.h"

#include "api/body.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/compiler.h"
#include "call/counting.h"
#include "call/models.h"
#include "call/tools.h"
#include "format/anthropic.h"

static bool input_read(struct api_request *request, struct call_input *input, struct fault *fault) {
    struct arena *arena = http_exchange_arena(request->exchange);
    struct json_value body;
    struct err err;
    if (!body_parse(request, &body, fault)) {
        return false;
    }
    if (!anthropic_read_counted(body, arena, input, &err)) {
        fault_from_err(fault, &err);
        return false;
    }
    if (!models_find_allowed(request->api->calls, &request->identity, input->request.model, &input->request.model,
                             fault)) {
        return false;
    }
    if (input->tools != NULL && !tools_tell(input->tools, arena, &input->request)) {
        fault_set_too_large(fault);
        return false;
    }
    return true;
}

static void respond_count(struct api_request *request, int64_t tokens) {
    struct json_writer writer = respond_json_begin(request);
    json_member_int(&writer, "input_tokens", tokens);
    respond_json_end(request, 200, &writer);
}

/* By the rates of the model, where its vocabulary is not at hand or did not answer in time. */
static void respond_likely(struct api_request *request) {
    const struct call_input *input = request->handler_data;
    const struct tokens_rates rates = counting_rates(request->api->calls, input->request.model, TOKENS_LIKELY);
    respond_count(request, counting_request_tokens(&rates, &input->request));
}

static void on_counted(void *context, const uint32_t *tokens, size_t count) {
    struct api_request *request = pending_end(context);
    if (request == NULL) {
        return;
    }
    if (tokens != NULL && count == 1) {
        respond_count(request, tokens[0]);
    } else {
        respond_likely(request);
    }
}

static void handle(struct api_request *request) {
    struct call_input *input = ARENA_NEW(http_exchange_arena(request->exchange), struct call_input);
    struct fault fault;
    fault_set_too_large(&fault);
    if (input == NULL || !input_read(request, input, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = input;
    /* Who only asks does not make those wait who want an answer. */
    if (counting_is_quick(request->api->calls, input->request.model)) {
        counting_ask_chat(request->api->calls, &input->request, on_counted, pending_new(request, NULL));
    } else {
        respond_likely(request);
    }
}

static const struct route routes[] = {
    {"POST", "/v1/messages/count_tokens", true, handle, NULL},
};

const struct route_set ROUTES_COUNT_TOKENS = {routes, COUNT_OF(routes)};
