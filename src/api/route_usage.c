/* GET /v1/usage and GET /v1/usage/requests: what an account used, and what it cost. */
#include "api/page.h"
#include "api/pending.h"
#include "api/respond.h"
#include "call/price.h"

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
    struct fault error;
    fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
    respond_error(request, &error);
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
        price_write_member(writer, "cost_usd", model->charge_nano);
        json_end_object(writer);
    }
    json_end_object(writer);
}

static void respond_usage(struct api_request *request, const struct store_usage *usage) {
    const struct usage_query *query = request->handler_data;
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
    json_member_cstr(&writer, "object", "usage");
    json_member_cstr(&writer, "period_start", query->period.start);
    json_member_cstr(&writer, "period_end", query->period.end);
    price_write_member(&writer, "balance_usd", usage->balance_nano);
    json_member_int(&writer, "total_requests", usage->requests);
    json_member_int(&writer, "total_tokens", usage->prompt_tokens + usage->completion_tokens);
    price_write_member(&writer, "total_cost_usd", usage->charge_nano);
    if (query->key_id[0] != '\0') {
        json_member_cstr(&writer, "key_id", query->key_id);
    }
    write_by_model(&writer, usage);
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

static void on_usage(void *context, const struct store_usage *usage, const struct err *err) {
    struct api_request *request = pending_end(context);
    struct fault error;
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        page_set_failed(&error, err, "key");
        respond_error(request, &error);
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
    struct fault error;
    if (query->key_id[0] != '\0') {
        fault_set(&error, FAULT_INVALID_REQUEST, "The sandbox does not count by key.");
        str_copy(error.param, sizeof(error.param), STR("key"));
        respond_error(request, &error);
        return;
    }
    backend->sandbox_usage(backend->context, &request->identity, &usage);
    period_at(clock_wall_ms(), &now);
    if (query->period.from_ms != now.from_ms) {
        usage = (struct store_usage){.balance_nano = usage.balance_nano};
    }
    respond_usage(request, &usage);
}

void usage_handle(struct api_request *request) {
    struct usage_query *query = query_new(request);
    struct fault error;
    if (query == NULL) {
        respond_too_large(request);
    } else if (!page_read_period(request, &query->period, &error) ||
               !page_read_id(request, "key", query->key_id, &error)) {
        respond_error(request, &error);
    } else if (request->identity.kind == STORE_KEY_TEST) {
        respond_sandbox_usage(request);
    } else {
        store_usage_read(request->api->store, request->identity.account_id, query->key_id, query->period.from_ms,
                         query->period.to_ms, on_usage, pending_new(request, NULL));
    }
}

/* --- GET /v1/usage/requests --- */

static void write_request(struct json_writer *writer, const struct store_generation *job) {
    json_begin_object(writer);
    page_write_generation(writer, job);
    json_member_cstr(writer, "status", page_outcome(job->outcome));
    json_member_int(writer, "prompt_tokens", job->prompt_tokens);
    json_member_int(writer, "completion_tokens", job->completion_tokens);
    price_write_member(writer, "cost_usd", job->charge_nano);
    json_member_int(writer, "latency_ms", job->latency_ms);
    json_member_cstr(writer, "key_id", job->key_id);
    if (job->purpose != STORE_PURPOSE_REQUEST) {
        json_member_cstr(writer, "purpose", store_purpose_name(job->purpose));
    }
    json_member_cstr(writer, "label", job->label[0] != '\0' ? job->label : NULL);
    json_end_object(writer);
}

static void respond_requests(struct api_request *request, const struct store_generation *jobs, size_t count,
                             bool more) {
    struct json_writer writer;
    page_list_begin(request, &writer);
    for (size_t i = 0; i < count; i++) {
        write_request(&writer, &jobs[i]);
    }
    page_list_end(request, &writer, more);
}

static void on_requests(void *context, const struct store_generation *jobs, size_t count, bool more,
                        const struct err *err) {
    struct api_request *request = pending_end(context);
    struct fault error;
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        page_set_failed(&error, err, "after");
        respond_error(request, &error);
        return;
    }
    respond_requests(request, jobs, count, more);
}

void usage_handle_requests(struct api_request *request) {
    struct usage_query *query = query_new(request);
    struct fault error;
    if (query == NULL) {
        respond_too_large(request);
    } else if (!page_read(request, &query->page, &error)) {
        respond_error(request, &error);
    } else if (request->identity.kind == STORE_KEY_TEST) {
        respond_requests(request, NULL, 0, false); /* the sandbox keeps no list */
    } else {
        store_generations_page(request->api->store, request->identity.account_id, false, query->page.after,
                               query->page.limit, on_requests, pending_new(request, NULL));
    }
}
