/* POST /v1/workflows/estimate: what a workflow will likely take. It is played through as it would run, each step with its
 * real prompt where that is known and with outputs of the usual length where it is not.
 *
 * `high` bounds the plan that is played: bytes bound tokens (call/price.h), max_tokens bounds outputs, and a prompt whose inputs
 * are not known yet fits the context. `low` and `likely` are guesses by bytes, until this account has done enough such steps. */
#include "api/pending.h"
#include "api/respond.h"
#include "call/call.h"
#include "call/models.h"
#include "call/price.h"
#include "store/workflows.h"
#include "workflow/stored.h"
#include "workflow/text.h"

#include <string.h>

enum {
    SAMPLES_MIN = 5,                 /* of a step's name, before its history is believed */
    TASK_BYTES = 400,                /* of a task that is not told */
    DOCUMENT_CONTEXTS = 2,           /* so many contexts has a document that is not told, */
    DOCUMENT_BYTES_MAX = 256 * 1024, /* within this */
    OUTPUT_BYTES = 512,              /* of a step, as long as nobody knows */
    BYTES_PER_TOKEN = 4,             /* of usual text */
    BYTES_PER_TOKEN_MOST = 6,        /* of text that is easy on the tokenizer */
    TOKENS_PER_MESSAGE = 8,          /* of usual templates */
    FITTED_BYTES_PER_TOKEN = 2,      /* as workflow_tokens fits prompts */
    ARENA_BYTES = 8 * 1024 * 1024,   /* of one prompt */
    STEPS_MAX = 2 * CORE_WORKFLOW_PARTS_MAX + CORE_WORKFLOW_STEPS_MAX, /* planned, not run */
};

struct range {
    int64_t low, likely, high;
};

/* All the steps of a name together. */
struct step_group {
    int64_t count;
    struct range prompt, completion;
};

struct estimate {
    struct generation_input input;
    size_t input_bytes; /* of the messages */
    bool assumed;       /* they were not told */
    bool chosen;        /* by "auto" */
    enum core_workflow_kind kind;
    struct step_group groups[CORE_STEP_NAMES];
    uint32_t samples;
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
            text[i] = i % (BYTES_PER_TOKEN + 1) == BYTES_PER_TOKEN ? ' ' : 'a';
        }
        message->content = (struct str){.data = text, .len = assumed_bytes};
        estimate->assumed = true;
    }
    estimate->input.request.messages = message;
    estimate->input.request.message_count = 1;
    return true;
}

static size_t assumed_bytes(const struct estimate *estimate, uint32_t context_length) {
    const struct orchestration *asked = &estimate->input.orchestration;
    const size_t bytes = (size_t)context_length * BYTES_PER_TOKEN * DOCUMENT_CONTEXTS;
    if (asked->automatic || asked->kind != CORE_WORKFLOW_MAP_REDUCE) {
        return TASK_BYTES;
    }
    return bytes < DOCUMENT_BYTES_MAX ? bytes : DOCUMENT_BYTES_MAX;
}

static bool input_read(struct json_value body, struct estimate *out, struct estimate_fields *fields,
                       struct arena *arena, struct err *err) {
    enum { MAX_TOKENS_DEFAULT = 256 };
    struct generation_content content;
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
               chat_request_read(body, arena, &out->input, err);
    }
    return generation_fields_read(body, MAX_TOKENS_DEFAULT, arena, &out->input, &content, err) &&
           generation_orchestration_read(&content, arena, &out->input.orchestration, err);
}

static bool estimate_read(struct api_request *request, struct estimate *out, struct fault *error) {
    struct arena *arena = http_exchange_arena(request->exchange);
    struct generation_input *input = &out->input;
    struct estimate_fields fields;
    struct json_value body;
    struct err err;
    if (!call_body_parse(request, &body, error)) {
        return false;
    }
    if (!input_read(body, out, &fields, arena, &err) || !fields_take(&fields, &input->orchestration, &err)) {
        fault_from_err(error, &err);
        return false;
    }
    if (!call_model_read(request, input->request.model, &input->request.model, error)) {
        return false;
    }
    const uint32_t context_length = models_context_length(request->api, input->request.model);
    if (input->request.message_count == 0 && !task_set(out, fields.task, assumed_bytes(out, context_length), arena)) {
        fault_set(error, FAULT_TOO_LARGE, "The request is too large.");
        return false;
    }
    for (size_t i = 0; i < input->request.message_count; i++) {
        out->input_bytes += input->request.messages[i].content.len;
    }
    out->chosen = input->orchestration.automatic;
    out->kind = out->chosen ? workflow_choose(&input->request, &input->orchestration, context_length)
                            : input->orchestration.kind;
    return true;
}

/* --- The play --- */

struct play {
    struct estimate *estimate;
    struct core_workflow *workflow;
    struct workflow_scene scene;
    struct str *outputs;
    uint32_t prompt_max; /* of any prompt: what the largest device can read; UINT32_MAX when nobody knows */
    /* Of the prompt that was made last, for the steps like it. */
    bool known;
    enum core_step_name name;
    uint32_t input_count;
    bool last;
    struct range prompt, completion;
};

static int64_t least(int64_t a, int64_t b) {
    return a < b ? a : b;
}

static void range_order(struct range *range) {
    range->likely = least(range->likely, range->high);
    range->low = least(range->low, range->likely);
}

static void range_add(struct range *sum, const struct range *range) {
    sum->low += range->low;
    sum->likely += range->likely;
    sum->high += range->high;
}

/* More than the prompt of this step can have, whatever the outputs are that it reads. */
static int64_t prompt_bound(const struct play *play, const struct core_step *step, const struct gen_request *made) {
    const struct workflow_scene *scene = &play->scene;
    const int64_t bytes = price_prompt_tokens_max(made);
    const int64_t fitted = (int64_t)scene->context_length * FITTED_BYTES_PER_TOKEN + PRICE_TOKENS_PER_TEMPLATE +
                           2 * PRICE_TOKENS_PER_MESSAGE;
    int64_t bound = bytes;
    if (step->name == CORE_STEP_MAP) { /* other chunks may be longer than this one */
        const struct str chunk = workflow_chunk(workflow_document(scene->request), &scene->chunks, step->part);
        bound += (int64_t)scene->chunks.bytes - (int64_t)chunk.len;
    } else if (step->input_count > 0 && fitted > bytes) {
        bound = fitted;
    }
    return least(bound, play->prompt_max);
}

static void measure(struct play *play, const struct core_step *step, const struct gen_request *made) {
    int64_t bytes = 0;
    for (size_t i = 0; i < made->message_count; i++) {
        bytes += (int64_t)made->messages[i].content.len;
    }
    play->prompt = (struct range){.low = bytes / BYTES_PER_TOKEN_MOST + TOKENS_PER_MESSAGE,
                                  .likely = bytes / BYTES_PER_TOKEN + TOKENS_PER_MESSAGE * (int64_t)made->message_count,
                                  .high = prompt_bound(play, step, made)};
    play->completion =
        (struct range){.low = made->max_tokens / 8 + 1, .likely = made->max_tokens / 2 + 1, .high = made->max_tokens};
    range_order(&play->prompt);
    range_order(&play->completion);
}

/* A step that generates: its prompt is made unless it is like that of the one before. False: it is too large. */
static bool play_generation(struct play *play, uint32_t number) {
    const struct core_step *step = &play->workflow->steps[number];
    struct step_group *group = &play->estimate->groups[step->name];
    const bool last = core_workflow_is_last(play->workflow, number);
    bool made = true;
    if (!play->known || play->name != step->name || play->input_count != step->input_count || play->last != last) {
        struct gen_request generation;
        struct arena arena;
        arena_init(&arena, ARENA_BYTES);
        made = workflow_step_compose(&play->scene, number, &arena, &generation);
        if (made) {
            measure(play, step, &generation);
        }
        arena_clear(&arena);
        play->known = true;
        play->name = step->name;
        play->input_count = step->input_count;
        play->last = last;
    }
    group->count++;
    range_add(&group->prompt, &play->prompt);
    range_add(&group->completion, &play->completion);
    return made;
}

/* Every output is as long as it may be where that makes more steps (of reduce), and says nothing: a review approves, a
 * think answers. */
static bool play_all(struct play *play) {
    bool made = true;
    for (uint32_t number; made && (number = core_workflow_next(play->workflow)) != CORE_NO_STEP;) {
        const struct core_step *step = &play->workflow->steps[number];
        struct core_step_result result = {.outcome = CORE_OUTCOME_TEXT, .parts = 1};
        if (number >= STEPS_MAX || !core_workflow_begin(play->workflow, number, 0)) {
            break;
        }
        if (step->name == CORE_STEP_CHUNK) {
            play->scene.chunks = workflow_chunks_plan(play->scene.request, play->scene.context_length, 1);
            result.parts = play->scene.chunks.count;
        }
        if (!step->local) {
            made = play_generation(play, number);
            result.tokens = (uint32_t)play->completion.high;
        }
        core_workflow_done(play->workflow, number, &result);
    }
    return made;
}

static bool estimate_play(const struct api *api, struct estimate *estimate, struct arena *arena) {
    struct gen_request *request = &estimate->input.request;
    const uint32_t context_length = models_context_length(api, request->model);
    const struct core_workflow_config config = {.kind = estimate->kind,
                                                .max_steps = estimate->input.orchestration.max_steps,
                                                .max_cost_nano = -1,
                                                .reduce_tokens = workflow_reduce_tokens(context_length)};
    uint32_t offered = 0;
    struct play play = {.estimate = estimate, .outputs = ARENA_ARRAY(arena, struct str, STEPS_MAX)};
    char *output = arena_alloc(arena, OUTPUT_BYTES);
    if (play.outputs == NULL || output == NULL) {
        return false;
    }
    memset(output, 'a', OUTPUT_BYTES);
    for (size_t i = 0; i < STEPS_MAX; i++) {
        play.outputs[i] = (struct str){.data = output, .len = OUTPUT_BYTES};
    }
    (void)api->backend.availability(api->backend.context, request->model, &offered);
    play.prompt_max = offered > 0 ? offered : UINT32_MAX;
    play.workflow = core_workflow_new(&config);
    play.scene = (struct workflow_scene){.request = request,
                                         .asked = &estimate->input.orchestration,
                                         .workflow = play.workflow,
                                         .outputs = play.outputs,
                                         .context_length = context_length,
                                         .scale = 1};
    const bool made = play_all(&play);
    core_workflow_free(play.workflow);
    return made;
}

/* What was measured takes the place of the guesses; the bound stays. */
static void history_take(struct estimate *estimate, const struct store_step_history *history, size_t count) {
    for (size_t i = 0; i < count; i++) {
        const struct store_step_history *had = &history[i];
        struct step_group *group = &estimate->groups[workflow_core_step_name(had->name)];
        if (had->samples < SAMPLES_MIN || group->count == 0) {
            continue;
        }
        group->prompt.low = group->count * had->prompt_tokens_low;
        group->prompt.likely = group->count * had->prompt_tokens_likely;
        group->completion.low = group->count * had->completion_tokens_low;
        group->completion.likely = group->count * had->completion_tokens_likely;
        range_order(&group->prompt);
        range_order(&group->completion);
        estimate->samples += had->samples;
    }
}

/* --- The answer --- */

static void write_tokens(struct json_writer *writer, const char *key, const struct range *range) {
    json_write_key(writer, key);
    json_begin_object(writer);
    json_member_int(writer, "low", range->low);
    json_member_int(writer, "likely", range->likely);
    json_member_int(writer, "high", range->high);
    json_end_object(writer);
}

static void write_cost(struct json_writer *writer, const char *key, const struct range *nano) {
    json_write_key(writer, key);
    json_begin_object(writer);
    price_write_member(writer, "low", nano->low);
    price_write_member(writer, "likely", nano->likely);
    price_write_member(writer, "high", nano->high);
    json_end_object(writer);
}

static struct range group_cost(const struct step_group *group, int64_t prompt_nano, int64_t completion_nano) {
    return (struct range){
        .low = group->prompt.low * prompt_nano + group->completion.low * completion_nano,
        .likely = group->prompt.likely * prompt_nano + group->completion.likely * completion_nano,
        .high = group->prompt.high * prompt_nano + group->completion.high * completion_nano,
    };
}

static void write_steps(struct json_writer *writer, const struct estimate *estimate, struct range *tokens,
                        struct range *nano) {
    int64_t prompt_nano, completion_nano;
    price_of_model(estimate->input.request.model, &prompt_nano, &completion_nano);
    json_write_key(writer, "steps");
    json_begin_array(writer);
    for (int name = 0; name < CORE_STEP_NAMES; name++) {
        const struct step_group *group = &estimate->groups[name];
        const struct range cost = group_cost(group, prompt_nano, completion_nano);
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
        range_add(tokens, &group->prompt);
        range_add(tokens, &group->completion);
        range_add(nano, &cost);
    }
    json_end_array(writer);
}

static void respond_estimate(struct api_request *request, const struct estimate *estimate) {
    struct range tokens = {0}, nano = {0};
    struct buf *body = respond_buffer(request->api);
    struct json_writer writer;
    json_writer_init(&writer, body);
    json_begin_object(&writer);
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
    json_end_object(&writer);
    respond_json(request, 200, buf_str(body));
}

static void on_history(void *context, const struct store_step_history *history, size_t count, const struct err *err) {
    struct api_request *request = pending_end(context);
    if (request == NULL) {
        return;
    }
    if (err != NULL) {
        struct fault error;
        fault_from_err(&error, err);
        respond_error(request, &error);
        return;
    }
    struct estimate *estimate = request->handler_data;
    history_take(estimate, history, count);
    respond_estimate(request, estimate);
}

void workflows_handle_estimate(struct api_request *request) {
    struct arena *arena = http_exchange_arena(request->exchange);
    struct estimate *estimate = ARENA_NEW(arena, struct estimate);
    struct fault error;
    char model[STORE_MODEL_MAX];
    fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
    if (estimate == NULL || !estimate_read(request, estimate, &error)) {
        respond_error(request, &error);
        return;
    }
    if (!estimate_play(request->api, estimate, arena)) {
        fault_set(&error, FAULT_TOO_LARGE, "The request is too large.");
        respond_error(request, &error);
        return;
    }
    request->handler_data = estimate;
    str_copy(model, sizeof(model), estimate->input.request.model);
    store_step_history_read(request->api->store, request->identity.account_id, request->identity.kind == STORE_KEY_TEST,
                            workflow_stored_kind(estimate->kind), model, on_history, pending_new(request, NULL));
}
