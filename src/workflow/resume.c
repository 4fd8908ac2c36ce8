/* What of a workflow is stored beside its row, so that it is whole again after a crash; and back. */
#include "api/respond.h"
#include "base/log.h"
#include "conversation/conversations.h"
#include "workflow/internal.h"
#include "workflow/stored.h"

#include <string.h>

/* --- The request --- */

static void write_turn(const struct conversation_call *conversation, struct json_writer *writer) {
    json_write_key(writer, "turn");
    json_begin_object(writer);
    json_member_int(writer, "from", conversation->conversation.message_count);
    json_member_int(writer, "own", (int64_t)conversation->own_count);
    json_member_int(writer, "density", conversation->conversation.density);
    json_member_cstr(writer, "counted_by", conversation->conversation.counted_by);
    json_member_bool(writer, "system_given", conversation->prompt.system_given);
    json_member_str(writer, "system", conversation->system);
    json_end_object(writer);
}

bool workflow_request_write(const struct workflow_request *asked, uint32_t context_length, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_write_key(&writer, "generation");
    json_begin_object(&writer);
    gen_request_write(asked->generation, &writer);
    json_end_object(&writer);
    json_write_key(&writer, "orchestration");
    orchestration_write(asked->asked, &writer);
    json_member_int(&writer, "context_length", context_length);
    json_member_cstr(&writer, "region", asked->region != NULL ? asked->region : "");
    json_member_bool(&writer, "verified", asked->verified);
    json_member_str(&writer, "label", asked->label);
    if (asked->conversation != NULL) {
        write_turn(asked->conversation, &writer);
    }
    json_end_object(&writer);
    return !out->overflow;
}

static struct str member_text(struct json_value object, const char *key, struct arena *arena) {
    struct json_value value;
    struct str text, copy;
    if (!json_get(object, key, &value) || !json_as_str(value, &text) || text.len == 0) {
        return STR("");
    }
    copy = arena_copy(arena, text);
    return copy.data != NULL ? copy : STR("");
}

static int64_t member_int(struct json_value object, const char *key) {
    struct json_value value;
    int64_t number = 0;
    return json_get(object, key, &value) && json_as_int64(value, &number) ? number : 0;
}

static bool member_bool(struct json_value object, const char *key) {
    struct json_value value;
    bool is = false;
    return json_get(object, key, &value) && json_as_bool(value, &is) && is;
}

static void read_turn(struct workflow *workflow, struct json_value root) {
    struct json_value turn;
    if (json_get(root, "turn", &turn)) {
        workflow->turn = (struct workflow_turn){.given = true,
                                                .system_given = member_bool(turn, "system_given"),
                                                .from = member_int(turn, "from"),
                                                .density = member_int(turn, "density"),
                                                .own = (uint32_t)member_int(turn, "own"),
                                                .system = member_text(turn, "system", &workflow->arena),
                                                .counted_by = member_text(turn, "counted_by", &workflow->arena)};
    }
    if (workflow->turn.own > workflow->request.message_count) {
        workflow->turn.own = (uint32_t)workflow->request.message_count;
    }
}

bool workflow_request_read(struct workflow *workflow, struct str text, struct err *err) {
    struct json_value root, generation, orchestration;
    if (!json_parse(workflow->all->parser, text, &root, err)) {
        return false;
    }
    if (!json_get(root, "generation", &generation) || !json_get(root, "orchestration", &orchestration)) {
        return err_set(err, ERR_INTERNAL, "The stored request is not whole.");
    }
    if (!gen_request_read(generation, &workflow->arena, &workflow->request, err) ||
        !orchestration_read_stored(orchestration, &workflow->arena, &workflow->asked, err)) {
        return false;
    }
    workflow->context_length = (uint32_t)member_int(root, "context_length");
    workflow->verified = member_bool(root, "verified");
    workflow->label = member_text(root, "label", &workflow->arena);
    str_copy(workflow->region, sizeof(workflow->region), member_text(root, "region", &workflow->arena));
    read_turn(workflow, root);
    return true;
}

/* --- The steps --- */

void workflow_core_make(struct workflow *workflow) {
    const struct core_workflow_config config = {.kind = workflow_core_kind(workflow->row.kind),
                                                .max_steps = workflow->row.max_steps,
                                                .max_cost_nano = workflow->row.max_cost_nano,
                                                .reduce_tokens = workflow_reduce_tokens(workflow->context_length)};
    workflow->core = core_workflow_new(&config);
}

static bool step_take(struct workflow *workflow, const struct store_step *stored) {
    struct core_workflow *core = workflow->core;
    if (stored->number >= core->step_count || core->steps[stored->number].state != CORE_STEP_READY ||
        workflow_stored_step_name(core->steps[stored->number].name) != stored->name) {
        return false;
    }
    struct workflow_step *step = workflow_step_get(workflow, stored->number);
    step->record = *stored;
    step->finish = !stored->local && stored->max_tokens > 0 && stored->completion_tokens >= stored->max_tokens
                       ? GEN_FINISH_LENGTH
                       : GEN_FINISH_STOP;
    (void)buf_append_str(&step->output, stored->output);
    step->record.output = buf_str(&step->output);
    workflow->outputs[stored->number] = step->record.output;
    core_workflow_restore(core, stored->number, stored->hold_nano);
    if (stored->scale == 0 && !stored->local) {
        workflow_step_take_old(step);
    }
    if (stored->name == STORE_STEP_CHUNK && stored->state == STORE_STEP_DONE) {
        return workflow_chunks_read(workflow->all->parser, stored->output, &workflow->chunks);
    }
    return true;
}

/* Each has its state again; those that run are only marked. False: the steps are not those of this workflow. */
static bool steps_take(struct workflow *workflow, const struct store_step *steps, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (steps[i].state == STORE_STEP_READY) {
            continue;
        }
        if (!step_take(workflow, &steps[i])) {
            return false;
        }
        if (steps[i].state == STORE_STEP_DONE) {
            const struct core_step_result done = {.outcome = workflow_core_outcome(steps[i].outcome),
                                                  .cost_nano = steps[i].cost_nano,
                                                  .tokens = steps[i].completion_tokens,
                                                  .parts = workflow->chunks.count};
            struct workflow_step *step = workflow->steps[steps[i].number];
            workflow_step_check_cut(step);
            core_workflow_done(workflow->core, steps[i].number, &done);
        } else if (steps[i].state == STORE_STEP_FAILED) {
            core_workflow_failed(workflow->core, steps[i].number, steps[i].cost_nano);
        } else {
            workflow->steps[steps[i].number]->phase = STEP_WAITING;
        }
    }
    return true;
}

static void identity_make(struct workflow *workflow) {
    const struct auth_identity *identity;
    struct err err;
    if (auth_find_key(workflow->all->api->auth, workflow->row.key_id, &identity, &err)) {
        workflow->identity = *identity;
    } /* else its next step finds the same, and it fails */
}

/* It cannot go on: its end says why. */
static void replay_fails(struct workflow *workflow, const char *why) {
    LOG_ERROR_EVENT("workflow.unreadable", LOG_TEXT("workflow", workflow->row.id), LOG_TEXT("error", why));
    fault_set(&workflow->error, FAULT_INTERNAL, "The stored workflow cannot be read.");
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        workflow_step_cancel(workflow->steps[i]);
    }
    core_workflow_stop(workflow->core, CORE_WORKFLOW_FAILED);
}

void workflow_replay(struct workflow *workflow, const struct store_workflow *row, const struct store_step *steps,
                     size_t count) {
    struct err err = {.message = "its steps are not those of this workflow"};
    const bool fresh = workflow->request.message_count == 0;
    workflow->row = *row;
    workflow->row.request = workflow->row.answer = workflow->row.error = workflow->row.extra = STR("");
    identity_make(workflow);
    buf_clear(&workflow->request_text);
    if (!fresh) { /* a job's, read anew: the arena keeps both */
        workflow->turn = (struct workflow_turn){0};
    }
    const bool read = workflow_request_read(workflow, row->request, &err);
    workflow_core_make(workflow);
    workflow->state = WORKFLOW_RUNNING;
    if (!read || !steps_take(workflow, steps, count)) {
        replay_fails(workflow, err.message);
    }
    if (workflow->cancelled) {
        core_workflow_stop(workflow->core, CORE_WORKFLOW_CANCELLED);
        for (uint32_t i = 0; i < workflow->step_count; i++) {
            workflow_step_cancel(workflow->steps[i]);
        }
    }
    LOG_INFO_EVENT("workflow.resume", LOG_TEXT("workflow", workflow->row.id), LOG_INT("steps", count));
    for (uint32_t i = 0; i < count && workflow->state == WORKFLOW_RUNNING && i < workflow->step_count; i++) {
        if (workflow->steps[i]->phase == STEP_WAITING && !workflow->all->api->draining) {
            workflow_step_resume(workflow->steps[i]);
        }
    }
    workflow_pump(workflow);
}
