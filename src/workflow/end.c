#include "workflow/end.h"

#include "base/clock.h"
#include "base/json_values.h"
#include "base/log.h"
#include "conversation/prompt.h"
#include "conversation/stored.h"
#include "format/envelope.h"
#include "workflow/agent.h"
#include "workflow/meaning.h"
#include "workflow/stored.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { ERROR_BYTES = 8 * 1024, EVENT_BYTES = 8 * 1024 };

static void error_missing(struct fault *fault) {
    fault_set(fault, FAULT_INTERNAL, "A step of the workflow failed.");
}

/* --- The answer --- */

static bool has_answer(enum core_workflow_status status) {
    return status == CORE_WORKFLOW_COMPLETED || status == CORE_WORKFLOW_BUDGET_EXCEEDED ||
           status == CORE_WORKFLOW_MAX_STEPS || status == CORE_WORKFLOW_NO_ANSWER;
}

static void write_call(struct workflow *workflow, uint32_t think) {
    const struct workflow_scene scene = workflow_scene_of(workflow, 1);
    const struct workflow_meaning meaning = workflow_step_meaning(&scene, think, workflow->outputs[think]);
    const char *tail = strchr(workflow->steps[think]->record.run_id, '_');
    struct json_writer writer;
    struct buf arguments;
    char id[STORE_ID_MAX];
    snprintf(id, sizeof(id), "call%s", tail != NULL ? tail : "_");
    buf_init(&arguments, WORKFLOW_REQUEST_BYTES);
    workflow_call_arguments(workflow->all->parser, &meaning, &arguments);
    json_writer_init(&writer, &workflow->calls);
    json_begin_array(&writer);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", id);
    json_member_cstr(&writer, "type", "function");
    json_write_key(&writer, "function");
    json_begin_object(&writer);
    json_member_str(&writer, "name", meaning.called != NULL ? meaning.called->name : meaning.tool_name);
    json_member_str(&writer, "arguments", buf_str(&arguments));
    json_end_object(&writer);
    json_end_object(&writer);
    json_end_array(&writer);
    buf_clear(&arguments);
}

static void answer_text(struct workflow *workflow, uint32_t first, uint32_t count) {
    const struct core_step *steps = workflow->core->steps;
    for (uint32_t i = first; i < first + count; i++) {
        const struct str output = workflow->outputs[i];
        if (i > first && workflow->text.len > 0) {
            buf_append_cstr(&workflow->text, "\n\n");
        }
        /* What has gone out as it came is the answer as it came. */
        buf_append_str(&workflow->text,
                       workflow->steps[i]->streamed ? output : workflow_answer_text(steps[i].name, output));
    }
}

/* An agent's last think is no answer: what its tools have said is the best that there is. False: it is one, or they
 * have said nothing. */
static bool results_text(struct workflow *workflow, uint32_t last) {
    const struct workflow_scene scene = workflow_scene_of(workflow, 1);
    const struct core_step *step = &workflow->core->steps[last];
    if (step->name != CORE_STEP_THINK || step->outcome == CORE_OUTCOME_ANSWER) {
        return false;
    }
    agent_results_append(&scene, &workflow->text);
    return workflow->text.len > 0;
}

/* What was made, in `text` and `calls`. */
static void answer_make(struct workflow *workflow, enum core_workflow_status status) {
    struct workflow_answer *answer = &workflow->answer;
    uint32_t first = 0, count = 0;
    buf_reset(&workflow->text);
    buf_reset(&workflow->calls);
    *answer =
        (struct workflow_answer){.id = workflow->row.id,
                                 .kind = workflow_core_kind(workflow->row.kind),
                                 .chosen = workflow->row.chosen,
                                 .test = workflow->row.test,
                                 .status = status,
                                 .steps_executed = workflow->core->executed,
                                 .cost_nano = workflow->core->spent_nano,
                                 .finish = status == CORE_WORKFLOW_COMPLETED ? GEN_FINISH_STOP : GEN_FINISH_LENGTH};
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        const struct workflow_step *step = workflow->steps[i];
        answer->usage.prompt_tokens += step->record.prompt_tokens;
        answer->usage.completion_tokens += step->record.completion_tokens;
        answer->usage.cached_tokens += step->cached_tokens;
    }
    if (has_answer(status)) {
        core_workflow_answer(workflow->core, &first, &count);
    }
    if (count == 1 && workflow->core->steps[first].outcome == CORE_OUTCOME_CALL) {
        write_call(workflow, first);
    } else if (count > 0 && !results_text(workflow, first)) {
        answer_text(workflow, first, count);
    }
    if (count == 1 && workflow->steps[first]->finish != GEN_FINISH_STOP) {
        answer->finish = workflow->steps[first]->finish;
    }
    answer->text = buf_str(&workflow->text);
    answer->tool_calls = buf_str(&workflow->calls);
    const int64_t latency = workflow->row.ended_ms - workflow->row.created_ms;
    answer->latency_ms = (uint32_t)(latency < 0 ? 0 : latency > UINT32_MAX ? UINT32_MAX : latency);
}

/* --- Into the store --- */

static void write_extra(const struct workflow *workflow, struct buf *out) {
    const struct workflow_answer *answer = &workflow->answer;
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "finish", gen_finish_name(answer->finish));
    json_member_int(&writer, "cached_tokens", answer->usage.cached_tokens);
    if (answer->tool_calls.len > 0) {
        json_write_key(&writer, "tool_calls");
        json_write_raw(&writer, answer->tool_calls);
    }
    json_end_object(&writer);
}

static void write_event(const struct workflow *workflow, struct buf *out) {
    const struct workflow_answer *answer = &workflow->answer;
    char type[16];
    struct json_writer writer;
    (void)str_copy(type, sizeof(type), str_from(core_workflow_kind_name(answer->kind)));
    for (char *at = type; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
    }
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "id", workflow->row.id);
    json_member_cstr(&writer, "type", type);
    json_member_cstr(&writer, "status", core_workflow_status_name(answer->status));
    json_member_cstr(&writer, "model", workflow->row.model);
    json_member_int(&writer, "steps_executed", answer->steps_executed);
    json_member_usd(&writer, "total_cost_usd", answer->cost_nano);
    json_end_object(&writer);
}

static void on_ended(void *context, const struct store_workflow *row, const struct store_step *steps, size_t count,
                     bool changed, const struct err *err) {
    struct workflow *workflow = context;
    const enum core_workflow_status status = workflow->answer.status;
    struct fault fault;
    (void)row;
    (void)steps;
    (void)count;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (err != NULL && (err->code == ERR_UNAVAILABLE || err->code == ERR_IN_DOUBT)) { /* the tick tells it once more */
        workflow_wait(workflow);
        return;
    }
    if (err != NULL) {
        workflow_lost(workflow, err);
        return;
    }
    LOG_INFO_EVENT("workflow.end", LOG_TEXT("workflow", workflow->row.id),
                   LOG_TEXT("status", core_workflow_status_name(status)), LOG_INT("changed", changed),
                   LOG_INT("steps", workflow->answer.steps_executed));
    if (!changed || !has_answer(status)) {
        workflow_fault_cancelled(&fault);
        workflow_tell_failed(workflow, changed && status == CORE_WORKFLOW_FAILED ? &workflow->fault : &fault);
    } else if (workflow->events != NULL) {
        const struct workflow_events *events = workflow->events;
        workflow->events = NULL;
        events->on_end(workflow->context, &workflow->answer);
    }
    workflow_drop(workflow);
}

/* The exchange, where no call is there to tell it. */
static bool own_turn(const struct workflow *workflow, struct store_message *messages, struct store_turn *turn) {
    const struct workflow_turn *asked = &workflow->turn;
    const struct gen_request *request = &workflow->request;
    if (!asked->given || asked->own > request->message_count || messages == NULL) {
        return false;
    }
    for (uint32_t i = 0; i <= asked->own; i++) {
        const struct gen_message *own =
            i < asked->own ? &request->messages[request->message_count - asked->own + i] : NULL;
        const struct str content = own != NULL ? own->content : workflow->answer.text;
        messages[i] =
            (struct store_message){.position = asked->from + i,
                                   .role = own != NULL ? conversation_stored_role(own->role) : STORE_ROLE_ASSISTANT,
                                   .tokens = (uint32_t)conversation_tokens(content, &workflow->rates),
                                   .created_ms = own != NULL ? workflow->row.created_ms : workflow->row.ended_ms,
                                   .content = content};
    }
    *turn = (struct store_turn){.kind = STORE_TURN_EXCHANGE,
                                .test = workflow->row.test,
                                .now_ms = workflow->row.ended_ms,
                                .from = asked->from,
                                .messages = messages,
                                .message_count = asked->own + 1,
                                .prompt_tokens = workflow->answer.usage.prompt_tokens,
                                .completion_tokens = workflow->answer.usage.completion_tokens,
                                .density = asked->density,
                                .system_given = asked->system_given,
                                .text = asked->system};
    memcpy(turn->conversation_id, workflow->row.conversation_id, sizeof(turn->conversation_id));
    memcpy(turn->account_id, workflow->row.account_id, sizeof(turn->account_id));
    (void)str_copy(turn->counted_by, sizeof(turn->counted_by), asked->counted_by);
    return true;
}

static bool turn_make(struct workflow *workflow, struct store_message *messages, struct store_turn *turn) {
    const struct workflow_answer *answer = &workflow->answer;
    const struct workflow_events *events = workflow->events;
    if (!has_answer(answer->status) || answer->text.len == 0) {
        return false;
    }
    if (events != NULL) {
        return events->on_turn != NULL && events->on_turn(workflow->context, answer, turn);
    }
    return own_turn(workflow, messages, turn);
}

static bool stored_make(struct workflow *workflow, struct store_answer *stored) {
    const struct workflow_events *events = workflow->events;
    return has_answer(workflow->answer.status) && !workflow->row.test && events != NULL && events->on_stored != NULL &&
           events->on_stored(workflow->context, &workflow->answer, stored);
}

void workflow_end(struct workflow *workflow) {
    const enum core_workflow_status status = core_workflow_status(workflow->core);
    struct json_writer writer;
    struct buf error, extra, event;
    struct store_turn turn;
    struct store_answer stored;
    struct arena arena;
    workflow->state = WORKFLOW_ENDING;
    if (workflow->row.ended_ms == 0) { /* told once more, it is the same end */
        workflow->row.ended_ms = clock_wall_ms();
    }
    answer_make(workflow, status);
    buf_init(&error, ERROR_BYTES);
    buf_init(&extra, WORKFLOW_REQUEST_BYTES);
    buf_init(&event, EVENT_BYTES);
    arena_init(&arena, (LIMIT_MESSAGES + 1) * sizeof(struct store_message) + 64);
    if (status == CORE_WORKFLOW_FAILED) {
        if (workflow->fault.message[0] == '\0') {
            error_missing(&workflow->fault);
        }
        json_writer_init(&writer, &error);
        envelope_write_object(&writer, &workflow->fault);
    }
    if (status != CORE_WORKFLOW_CANCELLED && !workflow->row.test) {
        write_event(workflow, &event);
    }
    write_extra(workflow, &extra);
    struct store_workflow_end end = {.status = workflow_stored_status(status),
                                     .ended_ms = workflow->row.ended_ms,
                                     .text = workflow->answer.text,
                                     .error = buf_str(&error),
                                     .extra = buf_str(&extra),
                                     .event = buf_str(&event)};
    struct store_message *messages = ARENA_ARRAY(&arena, struct store_message, workflow->turn.own + 1);
    end.turn = turn_make(workflow, messages, &turn) ? &turn : NULL;
    end.stored = stored_make(workflow, &stored) ? &stored : NULL;
    (void)str_copy(end.id, sizeof(end.id), str_from(workflow->row.id));
    workflow->asked_store++;
    store_workflow_end(workflow->all->calls->store, &end, on_ended, workflow);
    arena_clear(&arena);
    buf_clear(&error);
    buf_clear(&extra);
    buf_clear(&event);
}

/* --- One that ended before --- */

static void stored_error_read(struct workflow *workflow, struct str text, struct fault *fault) {
    struct json_value root, value;
    struct str code, message;
    struct err err;
    error_missing(fault);
    if (!json_parse(workflow->all->parser, text, &root, &err) || !json_get(root, "code", &value) ||
        !json_as_str(value, &code) || !json_get(root, "message", &value) || !json_as_str(value, &message)) {
        return;
    }
    if (!fault_code_of(code, &fault->code)) {
        return;
    }
    (void)str_copy(fault->message, sizeof(fault->message), message);
}

static void stored_extra_read(struct workflow *workflow, struct str text, struct workflow_answer *answer) {
    struct json_value root, value;
    struct str finish;
    struct err err;
    int64_t cached = 0;
    if (!json_parse(workflow->all->parser, text, &root, &err)) {
        return;
    }
    if (json_get(root, "finish", &value) && json_as_str(value, &finish)) {
        (void)gen_finish_from_name(finish, &answer->finish);
    }
    if (json_get(root, "cached_tokens", &value) && json_as_int64(value, &cached)) {
        answer->usage.cached_tokens = (uint32_t)cached;
    }
    if (json_get(root, "tool_calls", &value)) {
        json_serialize(value, &workflow->calls);
        answer->tool_calls = buf_str(&workflow->calls);
    }
}

void workflow_tell_stored(struct workflow *workflow, const struct store_workflow *stored) {
    const struct workflow_events *events = workflow->events;
    struct fault fault;
    if (stored->status == STORE_WORKFLOW_FAILED || stored->status == STORE_WORKFLOW_CANCELLED) {
        workflow_fault_cancelled(&fault);
        if (stored->status == STORE_WORKFLOW_FAILED) {
            stored_error_read(workflow, stored->error, &fault);
        }
        workflow_tell_failed(workflow, &fault);
    } else if (events != NULL) {
        struct workflow_answer answer = {
            .id = stored->id,
            .kind = workflow_core_kind(stored->kind),
            .chosen = stored->chosen,
            .test = stored->test,
            .status = workflow_core_status(stored->status),
            .steps_executed = stored->steps_executed,
            .cost_nano = stored->cost_nano,
            .text = stored->answer,
            .tool_calls = STR(""),
            .usage = {.prompt_tokens = stored->prompt_tokens, .completion_tokens = stored->completion_tokens},
            .latency_ms = (uint32_t)(stored->ended_ms - stored->created_ms),
            .repeated = true};
        stored_extra_read(workflow, stored->extra, &answer);
        workflow->events = NULL;
        events->on_end(workflow->context, &answer);
    }
}
