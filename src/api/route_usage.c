#include "api/route_usage.h"

#include "api/page.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/json_values.h"
#include "format/kept.h"
#include "store/usage.h"

/* What was asked, while the store reads; in the exchange's arena. */
struct usage_query {
    struct period period;
    struct page page;
    char key_id[STORE_ID_MAX]; /* empty: all keys */
};

static struct usage_query *query_new(struct api_request *request) {
    struct usage_query *query = ARENA_NEW(http_exchange_arena(request->exchange), struct usage_query);
    request->handler_data = query;
    return query;
}

static void respond_too_large(struct api_request *request) {
    struct fault fault;
    fault_set_too_large(&fault);
    respond_fault(request, &fault);
}

/* --- GET /v1/usage --- */

static void write_by_model(struct json_writer *writer, const struct store_usage *usage) {
    json_write_key(writer, "by_model");
    json_begin_object(writer);
    for (size_t i = 0; i < usage->model_count; i++) {
        const struct store_model_usage *model = &usage->models[i];
        json_write_key_str(writer, str_from(model->model));
        json_begin_object(writer);
        json_member_int(writer, "requests", model->requests);
        json_member_int(writer, "tokens", model->prompt_tokens + model->completion_tokens);
        json_member_usd(writer, "cost_usd", model->charge_nano);
        json_member_usd(writer, "given_cost_usd", model->given_nano);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void respond_usage(struct api_request *request, const struct store_usage *usage) {
    const struct usage_query *query = request->handler_data;
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "usage");
    json_member_cstr(&writer, "period_start", query->period.start);
    json_member_cstr(&writer, "period_end", query->period.end);
    json_member_usd(&writer, "given_balance_usd", usage->balance_given_nano);
    json_member_usd(&writer, "given_cost_usd", usage->given_nano);
    json_member_usd(&writer, "balance_usd", usage->balance_nano);
    json_member_int(&writer, "total_requests", usage->requests);
    json_member_int(&writer, "total_tokens", usage->prompt_tokens + usage->completion_tokens);
    json_member_usd(&writer, "total_cost_usd", usage->charge_nano);
    if (query->key_id[0] != '\0') {
        json_member_cstr(&writer, "key_id", query->key_id);
    }
    write_by_model(&writer, usage);
    if (!request_is_test(request)) {
        kept_write(&writer, &usage->kept);
    }
    respond_json_end(request, 200, &writer);
}

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "key", "key");
    if (request == NULL) {
        return;
    }
    respond_usage(request, usage);
}

/* The sandbox counts an account's requests since the gateway's start, which is not more than this month to it. */
static void respond_sandbox_usage(struct api_request *request) {
    const struct usage_query *query = request->handler_data;
    const struct api_backend *backend = &request->api->backend;
    struct store_usage usage = {0};
    struct period now;
    struct fault fault;
    if (query->key_id[0] != '\0') {
        fault_set_param(&fault, FAULT_FORBIDDEN, "key",
                        "The sandbox does not count by key. Leave key out, or ask with a live key.");
        respond_fault(request, &fault);
        return;
    }
    backend->sandbox_usage(backend->context, &request->identity, &usage);
    period_at(clock_wall_ms(), &now);
    if (query->period.from_ms != now.from_ms) {
        usage = (struct store_usage){.balance_nano = usage.balance_nano};
    }
    respond_usage(request, &usage);
}

static void handle(struct api_request *request) {
    struct usage_query *query = query_new(request);
    struct fault fault;
    if (query == NULL) {
        respond_too_large(request);
    } else if (!page_read_period(request, &query->period, &fault) ||
               !page_read_id(request, "key", "key", query->key_id, &fault)) {
        respond_fault(request, &fault);
    } else if (request_is_test(request)) {
        respond_sandbox_usage(request);
    } else {
        store_usage_read(request->api->calls->store, request->identity.account_id, query->key_id, query->period.from_ms,
                         query->period.to_ms, on_usage, pending_new(request, NULL));
    }
}

/* --- GET /v1/usage/requests --- */

static void write_request(struct json_writer *writer, const struct store_generation *generation) {
    json_begin_object(writer);
    page_write_generation(writer, generation);
    json_member_cstr(writer, "status", page_outcome(generation->outcome));
    json_member_int(writer, "prompt_tokens", generation->prompt_tokens);
    json_member_int(writer, "completion_tokens", generation->completion_tokens);
    json_member_usd(writer, "cost_usd", generation->charge_nano);
    json_member_usd(writer, "given_cost_usd", generation->given_nano);
    json_member_bool(writer, "own_devices", generation->own_devices);
    json_member_int(writer, "latency_ms", generation->latency_ms);
    json_member_cstr(writer, "key_id", generation->key_id);
    if (generation->purpose != STORE_PURPOSE_REQUEST) {
        json_member_cstr(writer, "purpose", store_purpose_name(generation->purpose));
    }
    json_member_cstr(writer, "label", generation->label[0] != '\0' ? generation->label : NULL);
    json_end_object(writer);
}

static void respond_requests(struct api_request *request, const struct store_generation *generations, size_t count,
                             bool more) {
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        write_request(&writer, &generations[i]);
    }
    page_list_end(request, &writer, more);
}

static void on_requests(void *context, const struct store_generation *generations, size_t count, bool more,
                        const struct err *err) {
    struct api_request *request = pending_answered(context, err, "request", "after");
    if (request == NULL) {
        return;
    }
    respond_requests(request, generations, count, more);
}

static void handle_requests(struct api_request *request) {
    struct usage_query *query = query_new(request);
    struct fault fault;
    if (query == NULL) {
        respond_too_large(request);
    } else if (!page_read(request, "request", &query->page, &fault)) {
        respond_fault(request, &fault);
    } else if (request_is_test(request)) {
        respond_requests(request, NULL, 0, false); /* the sandbox keeps no list */
    } else {
        store_generations_page(request->api->calls->store, request->identity.account_id, false, query->page.after,
                               query->page.limit, on_requests, pending_new(request, NULL));
    }
}

static const struct route routes[] = {
    {"GET", "/v1/usage", true, handle, NULL},
    {"GET", "/v1/usage/requests", true, handle_requests, NULL},
};

const struct route_set ROUTES_USAGE = {routes, COUNT_OF(routes)};
