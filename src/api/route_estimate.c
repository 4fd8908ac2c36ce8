#include "api/route_estimate.h"

#include "api/body.h"
#include "api/pending.h"
#include "api/respond.h"
#include "base/json_values.h"
#include "call/counting.h"
#include "call/models.h"
#include "call/price.h"
#include "format/chat.h"
#include "format/fields.h"
#include "wire/field.h"
#include "workflow/choose.h"
#include "workflow/estimate.h"
#include "workflow/stored.h"

enum {
    TASK_BYTES = 400,                /* of a task that is not told */
    DOCUMENT_CONTEXTS = 2,           /* so many contexts has a document that is not told, */
    DOCUMENT_BYTES_MAX = 256 * 1024, /* within this */
};

/* --- What is asked --- */

struct estimate_fields {
    struct str workflow, task;
    struct field_integer max_steps;
    struct json_value messages;
};

#define AT(member) .offset = offsetof(struct estimate_fields, member)

/* Those beside what any chat has. */
static const struct field_rule estimate_rules[] = {
    {STR("workflow"), field_read_str, AT(workflow), .max_bytes = LIMIT_NAME_BYTES},
    {STR("task"), field_read_str, AT(task), .max_bytes = LIMIT_HTTP_BODY_BYTES},
    {STR("max_steps"), field_read_integer, AT(max_steps), 1, CORE_WORKFLOW_STEPS_MAX},
    {STR("messages"), field_read_json, AT(messages)},
};

static bool fields_take(const struct estimate_fields *fields, struct orchestration *asked, struct err *err) {
    if (!asked->enabled) {
        asked->automatic = true;
    }
    if (fields->workflow.len > 0 && !orchestration_kind_read(fields->workflow, &asked->automatic, &asked->kind)) {
        return field_invalid(err, "workflow", "must be one of research, code, agent, map_reduce, auto.");
    }
    if (fields->max_steps.given) {
        asked->max_steps = (uint32_t)fields->max_steps.value;
    }
    return true;
}

/* One message of the user in place of a chat. */
static bool task_set(struct estimate *estimate, struct str task, size_t assumed_bytes, struct arena *arena) {
    struct gen_message *message = ARENA_NEW(arena, struct gen_message);
    char *text = arena_alloc(arena, assumed_bytes + 1);
    if (message == NULL || text == NULL) {
        return false;
    }
    *message = (struct gen_message){.role = GEN_ROLE_USER, .content = task, .tool_call_id = STR("")};
    if (task.len == 0) {
        for (size_t i = 0; i < assumed_bytes; i++) {
            text[i] = i % (ESTIMATE_BYTES_PER_TOKEN + 1) == ESTIMATE_BYTES_PER_TOKEN ? ' ' : 'a';
        }
        message->content = (struct str){.data = text, .len = assumed_bytes};
        estimate->assumed = true;
    }
    estimate->input.request.messages = message;
    estimate->input.request.message_count = 1;
    return true;
}

static size_t assumed_bytes(const struct estimate *estimate, uint32_t context_length) {
    const struct orchestration *asked = &estimate->asked;
    const size_t bytes = (size_t)context_length * ESTIMATE_BYTES_PER_TOKEN * DOCUMENT_CONTEXTS;
    if (asked->automatic || asked->kind != CORE_WORKFLOW_MAP_REDUCE) {
        return TASK_BYTES;
    }
    return bytes < DOCUMENT_BYTES_MAX ? bytes : DOCUMENT_BYTES_MAX;
}

static bool input_read(struct json_value body, struct estimate *out, struct estimate_fields *fields,
                       struct arena *arena, struct err *err) {
    enum { MAX_TOKENS_DEFAULT = 256 };
    struct fields_content content;
    *fields = (struct estimate_fields){.workflow = STR(""), .task = STR("")};
    if (json_type_of(body) != JSON_OBJECT) {
        return err_set(err, ERR_INVALID, "The request body must be a JSON object, not %s.",
                       json_type_name(json_type_of(body)));
    }
    if (!fields_read(body, estimate_rules, COUNT_OF(estimate_rules), fields, err)) {
        return false;
    }
    if (json_type_of(fields->messages) != JSON_NULL) {
        return (fields->task.len == 0 || field_invalid(err, "task", "and messages must not both be given.")) &&
               chat_read(body, arena, &out->input, err);
    }
    return fields_read_body(body, MAX_TOKENS_DEFAULT, arena, &out->input, &content, err) &&
           orchestration_read_content(&content, arena, &out->input.orchestration, err);
}

static bool estimate_read(struct api_request *request, struct estimate *out, struct fault *fault) {
    struct arena *arena = http_exchange_arena(request->exchange);
    const struct calls *calls = request->api->calls;
    struct call_input *input = &out->input;
    struct estimate_fields fields;
    struct json_value body;
    struct err err;
    orchestration_init(&out->asked);
    if (!body_parse(request, &body, fault)) {
        return false;
    }
    const bool read = input_read(body, out, &fields, arena, &err);
    if (read && input->orchestration != NULL) {
        out->asked = *input->orchestration;
    }
    if (!read || !fields_take(&fields, &out->asked, &err)) {
        fault_from_err(fault, &err);
        return false;
    }
    if (!models_find_allowed(calls, &request->identity, input->request.model, &input->request.model, fault)) {
        return false;
    }
    const uint32_t context_length = models_context_length(calls, input->request.model);
    if (input->request.message_count == 0 && !task_set(out, fields.task, assumed_bytes(out, context_length), arena)) {
        fault_set_too_large(fault);
        return false;
    }
    for (size_t i = 0; i < input->request.message_count; i++) {
        out->input_bytes += input->request.messages[i].content.len;
    }
    out->chosen = out->asked.automatic;
    const struct tokens_rates rates = counting_rates(calls, input->request.model, TOKENS_MOST);
    out->kind = out->chosen ? workflow_choose(&input->request, &out->asked, context_length, &rates) : out->asked.kind;
    return true;
}

/* --- The answer --- */

static void write_tokens(struct json_writer *writer, const char *key, const struct estimate_range *range) {
    json_write_key(writer, key);
    json_begin_object(writer);
    json_member_int(writer, "low", range->low);
    json_member_int(writer, "likely", range->likely);
    json_member_int(writer, "high", range->high);
    json_end_object(writer);
}

static void write_cost(struct json_writer *writer, const char *key, const struct estimate_range *nano) {
    json_write_key(writer, key);
    json_begin_object(writer);
    json_member_usd(writer, "low", nano->low);
    json_member_usd(writer, "likely", nano->likely);
    json_member_usd(writer, "high", nano->high);
    json_end_object(writer);
}

static struct estimate_range group_cost(const struct estimate_group *group, int64_t prompt_nano,
                                        int64_t completion_nano) {
    return (struct estimate_range){
        .low = group->prompt.low * prompt_nano + group->completion.low * completion_nano,
        .likely = group->prompt.likely * prompt_nano + group->completion.likely * completion_nano,
        .high = group->prompt.high * prompt_nano + group->completion.high * completion_nano,
    };
}

static void write_steps(struct json_writer *writer, const struct estimate *estimate, struct estimate_range *tokens,
                        struct estimate_range *nano) {
    int64_t prompt_nano, completion_nano;
    price_of_model(estimate->input.request.model, &prompt_nano, &completion_nano);
    json_write_key(writer, "steps");
    json_begin_array(writer);
    for (int name = 0; name < CORE_STEP_NAMES; name++) {
        const struct estimate_group *group = &estimate->groups[name];
        const struct estimate_range cost = group_cost(group, prompt_nano, completion_nano);
        if (group->count == 0) {
            continue;
        }
        json_begin_object(writer);
        json_member_cstr(writer, "name", core_step_name_text((enum core_step_name)name));
        json_member_int(writer, "count", group->count);
        write_tokens(writer, "prompt_tokens", &group->prompt);
        write_tokens(writer, "completion_tokens", &group->completion);
        write_cost(writer, "cost_usd", &cost);
        json_end_object(writer);
        estimate_range_add(tokens, &group->prompt);
        estimate_range_add(tokens, &group->completion);
        estimate_range_add(nano, &cost);
    }
    json_end_array(writer);
}

static void respond_estimate(struct api_request *request, const struct estimate *estimate) {
    struct estimate_range tokens = {0}, nano = {0};
    struct json_writer writer = respond_json_begin(request);
    json_member_cstr(&writer, "object", "workflow.estimate");
    json_member_str(&writer, "model", estimate->input.request.model);
    json_member_cstr(&writer, "workflow", core_workflow_kind_name(estimate->kind));
    json_member_bool(&writer, "auto", estimate->chosen);
    json_member_int(&writer, "input_bytes", (int64_t)estimate->input_bytes);
    json_member_bool(&writer, "input_assumed", estimate->assumed);
    write_steps(&writer, estimate, &tokens, &nano);
    write_tokens(&writer, "total_tokens", &tokens);
    write_cost(&writer, "estimated_cost_usd", &nano);
    json_member_cstr(&writer, "basis", estimate->samples > 0 ? "history" : "defaults");
    json_member_int(&writer, "samples", estimate->samples);
    respond_json_end(request, 200, &writer);
}

static void on_history(void *context, const struct store_step_history *history, size_t count, const struct err *err) {
    struct api_request *request = pending_answered(context, err, "workflow", "");
    if (request != NULL) {
        struct estimate *estimate = request->handler_data;
        estimate_take_history(estimate, history, count);
        respond_estimate(request, estimate);
    }
}

static void handle(struct api_request *request) {
    struct arena *arena = http_exchange_arena(request->exchange);
    struct estimate *estimate = ARENA_NEW(arena, struct estimate);
    struct fault fault;
    char model[STORE_MODEL_MAX];
    fault_set_too_large(&fault);
    if (estimate == NULL || !estimate_read(request, estimate, &fault)) {
        respond_fault(request, &fault);
        return;
    }
    if (!estimate_play(request->api->calls, estimate, arena)) {
        fault_set_too_large(&fault);
        respond_fault(request, &fault);
        return;
    }
    request->handler_data = estimate;
    (void)str_copy(model, sizeof(model), estimate->input.request.model);
    store_step_history_read(request->api->calls->store, request->identity.account_id, request_is_test(request),
                            workflow_stored_kind(estimate->kind), model, on_history, pending_new(request, NULL));
}

static const struct route routes[] = {
    {"POST", "/v1/workflows/estimate", true, handle, NULL},
};

const struct route_set ROUTES_ESTIMATE = {routes, COUNT_OF(routes)};
