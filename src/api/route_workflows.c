#include "api/route_workflows.h"

#include "api/page.h"
#include "api/pending.h"
#include "api/query.h"
#include "api/respond.h"
#include "base/json_values.h"
#include "store/workflows.h"
#include "workflow/start.h"
#include "workflow/stored.h"
#include "workflow/waits.h"

#include <string.h>

enum { KIND_NAME_SIZE = 16 };

/* --- A workflow as JSON --- */

/* "MAP_REDUCE": the reference has types in capitals, and names of workflows in requests without. */
static void write_type(struct json_writer *writer, enum core_workflow_kind kind) {
    const char *name = core_workflow_kind_name(kind);
    char upper[KIND_NAME_SIZE];
    size_t i = 0;
    for (; name[i] != '\0' && i + 1 < sizeof(upper); i++) {
        upper[i] = (char)(name[i] >= 'a' && name[i] <= 'z' ? name[i] - 'a' + 'A' : name[i]);
    }
    upper[i] = '\0';
    json_member_cstr(writer, "type", upper);
}

/* The members that lists have too. */
static void write_summary(struct json_writer *writer, const struct api *api, const struct store_workflow *workflow) {
    const enum waiting waits = workflow->status == STORE_WORKFLOW_RUNNING
                                   ? workflow_waits(workflow_find(api->workflows, workflow->id))
                                   : WAITING_NOT;
    json_member_cstr(writer, "id", workflow->id);
    json_member_cstr(writer, "object", "workflow");
    write_type(writer, workflow_core_kind(workflow->kind));
    json_member_cstr(writer, "status", core_workflow_status_name(workflow_core_status(workflow->status)));
    if (waits != WAITING_NOT) {
        json_member_cstr(writer, "waiting_for", waiting_name(waits));
    }
    json_member_cstr(writer, "task", workflow->task);
    json_member_usd(writer, "total_cost_usd", workflow->cost_nano);
    json_member_int(writer, "steps_executed", workflow->steps_executed);
    json_member_time(writer, "created_at", workflow->created_ms);
    json_member_time(writer, "completed_at", workflow->ended_ms);
}

static void write_usage(struct json_writer *writer, const struct store_workflow *workflow) {
    json_write_key(writer, "usage");
    json_begin_object(writer);
    json_member_int(writer, "prompt_tokens", workflow->prompt_tokens);
    json_member_int(writer, "completion_tokens", workflow->completion_tokens);
    json_member_int(writer, "total_tokens", (int64_t)workflow->prompt_tokens + workflow->completion_tokens);
    json_end_object(writer);
}

static const char *step_status(enum store_step_state state) {
    switch (state) {
    case STORE_STEP_READY:
        return "READY";
    case STORE_STEP_RUNNING:
        return "RUNNING";
    case STORE_STEP_DONE:
        return "COMPLETED";
    case STORE_STEP_FAILED:
        break;
    }
    return "FAILED";
}

static void write_step(struct json_writer *writer, const struct store_step *step, enum waiting waits, bool output) {
    char digest[2 * DIGEST_SHA256_SIZE + 1];
    digest_hex(step->prompt_sha256, DIGEST_SHA256_SIZE, digest);
    json_begin_object(writer);
    json_member_int(writer, "number", (int64_t)step->number + 1);
    json_member_cstr(writer, "name", core_step_name_text(workflow_core_step_name(step->name)));
    json_member_cstr(writer, "status", step_status(step->state));
    json_member_cstr(writer, "prompt_sha256", step->local ? NULL : digest);
    if (output && step->state == STORE_STEP_DONE) {
        json_member_str(writer, "output", step->output);
    } else {
        json_member_cstr(writer, "output", NULL);
    }
    json_member_int(writer, "prompt_tokens", step->prompt_tokens);
    json_member_int(writer, "completion_tokens", step->completion_tokens);
    json_member_usd(writer, "cost_usd", step->cost_nano);
    json_member_cstr(writer, "provider", step->provider_id[0] != '\0' ? step->provider_id : NULL);
    json_member_time(writer, "started_at", step->started_ms);
    json_member_time(writer, "completed_at", step->ended_ms);
    if (step->state == STORE_STEP_RUNNING && waits != WAITING_NOT) {
        json_member_cstr(writer, "waiting_for", waiting_name(waits));
    }
    json_member_cstr(writer, "id", step->run_id[0] != '\0' ? step->run_id : NULL);
    json_end_object(writer);
}

static void write_answer(struct json_writer *writer, const struct store_workflow *workflow) {
    switch (workflow->status) {
    case STORE_WORKFLOW_COMPLETED:
    case STORE_WORKFLOW_BUDGET_EXCEEDED:
    case STORE_WORKFLOW_MAX_STEPS:
    case STORE_WORKFLOW_NO_ANSWER:
        json_member_str(writer, "answer", workflow->answer);
        return;
    case STORE_WORKFLOW_RUNNING:
    case STORE_WORKFLOW_FAILED:
    case STORE_WORKFLOW_CANCELLED:
        break;
    }
    json_member_cstr(writer, "answer", NULL);
}

/* An agent that ended by calling a tool of its caller. */
static void write_tool_calls(struct json_writer *writer, struct api *api, const struct store_workflow *workflow) {
    struct json_value root, calls;
    struct err err;
    struct buf text;
    if (workflow->extra.len == 0 || !json_parse(api->calls->parser, workflow->extra, &root, &err) ||
        !json_get(root, "tool_calls", &calls)) {
        return;
    }
    buf_init(&text, LIMIT_ANSWER_BYTES);
    json_serialize(calls, &text);
    json_write_key(writer, "tool_calls");
    json_write_raw(writer, buf_str(&text));
    buf_clear(&text);
}

static void write_whole(struct json_writer *writer, struct api *api, const struct store_workflow *workflow,
                        const struct store_step *steps, size_t step_count, bool outputs) {
    json_begin_object(writer);
    write_summary(writer, api, workflow);
    json_member_bool(writer, "auto", workflow->chosen);
    json_member_cstr(writer, "model", workflow->model);
    json_member_int(writer, "max_steps", workflow->max_steps);
    if (workflow->max_cost_nano < 0) {
        json_member_cstr(writer, "max_cost_usd", NULL);
    } else {
        json_member_usd(writer, "max_cost_usd", workflow->max_cost_nano);
    }
    json_member_cstr(writer, "conversation_id",
                     workflow->conversation_id[0] != '\0' ? workflow->conversation_id : NULL);
    json_member_time(writer, "expires_at", workflow->ended_ms != 0 ? workflow->ended_ms + STORE_WORKFLOW_KEPT_MS : 0);
    write_usage(writer, workflow);
    write_answer(writer, workflow);
    write_tool_calls(writer, api, workflow);
    json_write_key(writer, "error");
    json_write_raw(writer, workflow->error.len > 0 ? workflow->error : STR("null"));
    json_write_key(writer, "steps");
    json_begin_array(writer);
    const struct workflow *alive = workflow_find(api->workflows, workflow->id);
    for (size_t i = 0; i < step_count; i++) {
        write_step(writer, &steps[i], workflow_waits_at(alive, steps[i].number), outputs);
    }
    json_end_array(writer);
    json_end_object(writer);
}

static void on_told(void *context, const struct store_workflow *workflow, const struct store_step *steps,
                    size_t step_count, bool changed, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "workflow", "id");
    (void)changed;
    if (request == NULL) {
        return;
    }
    struct json_writer writer;
    struct buf *body = respond_buffer(request->api);
    json_writer_init(&writer, body);
    write_whole(&writer, request->api, workflow, steps, step_count, true);
    if (body->overflow) { /* hundreds of long outputs: the answer is worth more than they are */
        body = respond_buffer(request->api);
        json_writer_init(&writer, body);
        write_whole(&writer, request->api, workflow, steps, step_count, false);
    }
    respond_json(request, 200, buf_str(body));
}

static void handle_one(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    store_workflow_find(request->api->calls->store, request->identity.account_id, request_is_test(request), id, on_told,
                        pending_new(request, NULL));
}

static void handle_delete(struct api_request *request) {
    char id[STORE_ID_MAX];
    struct fault fault;
    bool forgets;
    page_path_id(request, id);
    if (!page_read_forget(request, &forgets, &fault)) {
        respond_fault(request, &fault);
    } else if (forgets) {
        store_workflow_forget(request->api->calls->store, request->identity.account_id, request_is_test(request), id,
                              on_told, pending_new(request, NULL));
    } else {
        workflow_cancel(request->api->workflows, &request->identity, id, on_told, pending_new(request, NULL));
    }
}

static void handle_cancel(struct api_request *request) {
    char id[STORE_ID_MAX];
    page_path_id(request, id);
    workflow_cancel(request->api->workflows, &request->identity, id, on_told, pending_new(request, NULL));
}

/* --- GET /v1/workflows --- */

static bool status_read(const struct api_request *request, int *out, struct fault *fault) {
    struct str value;
    *out = -1;
    if (!query_find(http_exchange_request(request->exchange)->query, "status", &value)) {
        return true;
    }
    for (int i = 0; i < STORE_WORKFLOW_STATUSES; i++) {
        const enum core_workflow_status status = workflow_core_status((enum store_workflow_status)i);
        if (str_equal_nocase(value, str_from(core_workflow_status_name(status)))) {
            *out = i;
            return true;
        }
    }
    fault_set_param(
        fault, FAULT_INVALID_REQUEST, "status",
        "status must be one of RUNNING, COMPLETED, FAILED, CANCELLED, BUDGET_EXCEEDED, MAX_STEPS, NO_ANSWER.");
    return false;
}

static void on_listed(void *context, const struct store_workflow *workflows, size_t count, bool more, int64_t total,
                      const struct err *err) {
    struct api_request *request = pending_answered(context, err, "workflow", "after");
    if (request == NULL) {
        return;
    }
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "list");
    json_write_key(&writer, "workflows");
    json_begin_array(&writer);
    for (size_t i = 0; i < count; i++) {
        json_begin_object(&writer);
        write_summary(&writer, request->api, &workflows[i]);
        json_end_object(&writer);
    }
    json_end_array(&writer);
    json_member_int(&writer, "total", total);
    json_member_bool(&writer, "has_more", more);
    respond_json_end(request, 200, &writer);
}

static void handle_list(struct api_request *request) {
    struct store_workflow_query query = {.test = request_is_test(request)};
    struct fault fault;
    struct page page;
    if (!page_read(request, "workflow", &page, &fault) || !status_read(request, &query.status, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    (void)str_copy(query.account_id, sizeof(query.account_id), str_from(request->identity.account_id));
    memcpy(query.after, page.after, sizeof(query.after));
    query.limit = page.limit;
    store_workflow_list(request->api->calls->store, &query, on_listed, pending_new(request, NULL));
}

static const struct route routes[] = {
    {"GET", "/v1/workflows", true, handle_list, NULL},
    {"GET", "/v1/workflows/{id}", true, handle_one, NULL},
    {"DELETE", "/v1/workflows/{id}", true, handle_delete, NULL},
    {"POST", "/v1/workflows/{id}/cancel", true, handle_cancel, NULL},
};

const struct route_set ROUTES_WORKFLOWS = {routes, COUNT_OF(routes)};
