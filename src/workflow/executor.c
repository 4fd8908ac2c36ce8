#include "workflow/executor.h"

#include "base/json_values.h"
#include "conversation/conversation.h"
#include "workflow/start.h"

#include <inttypes.h>

enum { NOTE_BYTES = 1024 };

/* In the call's arena. */
struct executing {
    const struct orchestration *asked;
    struct idempotency idempotency;
    struct workflow *workflow; /* as long as it has to be left */
};

static struct executing *executing_of(const struct call *call) {
    return call->executor_data;
}

/* The whole text in call->text: what has gone to the client already, and the rest. */
static void take_text(struct call *call, const struct workflow_answer *answer) {
    const size_t there = call->text.len < answer->text.len ? call->text.len : answer->text.len;
    /* Past its limit it can be neither stored nor repeated. */
    (void)buf_append_str(&call->text, (struct str){.data = answer->text.data + there, .len = answer->text.len - there});
}

/* --- What the workflow tells --- */

static void write_progress(const struct workflow_progress *progress, const char *status, struct buf *out) {
    struct json_writer writer;
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    json_member_cstr(&writer, "workflow_id", progress->id);
    json_member_cstr(&writer, "workflow", core_workflow_kind_name(progress->kind));
    json_write_key(&writer, "step");
    json_begin_object(&writer);
    json_member_int(&writer, "number", (int64_t)progress->number + 1);
    json_member_cstr(&writer, "name", core_step_name_text(progress->step->name));
    json_member_cstr(&writer, "status", status);
    if (progress->waits != WAITING_NOT) {
        json_member_cstr(&writer, "waiting_for", waiting_name(progress->waits));
    }
    json_end_object(&writer);
    json_member_int(&writer, "steps_executed", progress->steps_executed);
    json_member_usd(&writer, "total_cost_usd", progress->cost_nano);
    json_end_object(&writer);
}

static const char *status_of(enum core_step_state state) {
    switch (state) {
    case CORE_STEP_READY:
        return "READY";
    case CORE_STEP_RUNNING:
        return "RUNNING";
    case CORE_STEP_DONE:
        return "COMPLETED";
    case CORE_STEP_FAILED:
        break;
    }
    return "FAILED";
}

static void on_step(void *context, const struct workflow_progress *progress) {
    struct call *call = context;
    const bool begins = progress->step->state == CORE_STEP_RUNNING;
    const bool failed = progress->step->state == CORE_STEP_FAILED;
    const bool waits = progress->waits != WAITING_NOT;
    struct buf comment, nataris;
    buf_init(&comment, NOTE_BYTES);
    buf_init(&nataris, NOTE_BYTES);
    buf_append_format(&comment, "step %" PRIu32 " %s %s", progress->number + 1,
                      core_step_name_text(progress->step->name),
                      waits    ? "waiting for "
                      : begins ? "running"
                      : failed ? "failed"
                               : "completed");
    buf_append_cstr(&comment, waits ? waiting_name(progress->waits) : "");
    write_progress(progress, status_of(progress->step->state), &nataris);
    const struct call_note note = {.comment = buf_str(&comment), .nataris = buf_str(&nataris)};
    call->sink->note(call, &note);
    buf_clear(&comment);
    buf_clear(&nataris);
}

static void on_text(void *context, struct str text) {
    struct call *call = context;
    switch (call->sink->deliver(call, text)) {
    case CALL_DELIVERED:
    case CALL_DELIVER_CUT: /* the workflow was left, and the call is gone */
        break;
    case CALL_DELIVER_TOO_LONG: /* not of streams, and others do not want it in parts */
        break;
    }
}

/* Both are asked before the end is stored; the client must not see the rest before it is. */
static bool on_turn(void *context, const struct workflow_answer *answer, struct store_turn *turn) {
    struct call *call = context;
    struct buf nataris;
    buf_init(&nataris, NOTE_BYTES);
    take_text(call, answer);
    const struct call_result result = workflow_answer_result(answer, &nataris);
    const bool made = call->sink->turn(call, &result, turn);
    buf_clear(&nataris);
    return made;
}

static bool on_stored(void *context, const struct workflow_answer *answer, struct store_answer *stored) {
    struct call *call = context;
    struct buf nataris;
    buf_init(&nataris, NOTE_BYTES);
    take_text(call, answer);
    const struct call_result result = workflow_answer_result(answer, &nataris);
    const bool made = call->sink->answer(call, &result, stored);
    buf_clear(&nataris);
    return made;
}

static void on_end(void *context, const struct workflow_answer *answer) {
    struct call *call = context;
    struct buf nataris;
    buf_init(&nataris, NOTE_BYTES);
    executing_of(call)->workflow = NULL;
    take_text(call, answer);
    const struct call_result result = workflow_answer_result(answer, &nataris);
    call->sink->finished(call, &result);
    buf_clear(&nataris);
}

static void on_failed(void *context, const char *id, const struct fault *fault) {
    struct call *call = context;
    (void)id;
    executing_of(call)->workflow = NULL;
    call->sink->failed(call, fault);
}

static const struct workflow_events stream_events = {.on_step = on_step,
                                                     .on_text = on_text,
                                                     .on_turn = on_turn,
                                                     .on_stored = on_stored,
                                                     .on_end = on_end,
                                                     .on_failed = on_failed};
static const struct workflow_events plain_events = {
    .on_turn = on_turn, .on_stored = on_stored, .on_end = on_end, .on_failed = on_failed};

/* --- The executor --- */

void *workflow_executor_data(const struct draft *draft) {
    struct executing *executing = ARENA_NEW(draft->arena, struct executing);
    if (executing != NULL) {
        *executing = (struct executing){.asked = draft->input.orchestration, .idempotency = draft->idempotency};
    }
    return executing;
}

static void submit(void *context, struct call *call) {
    struct executing *executing = executing_of(call);
    const struct conversation *conversation = conversation_of(call->hook);
    const struct workflow_request asked = {.identity = &call->identity,
                                           .generation = &call->generation,
                                           .asked = executing->asked,
                                           .region = call->region,
                                           .verified = call->verified,
                                           .label = call->label,
                                           .conversation_id = conversation != NULL ? conversation->stored.id : NULL,
                                           .idempotency = &executing->idempotency,
                                           .conversation = conversation};
    struct fault fault;
    executing->workflow =
        workflow_start(context, &asked, call->generation.stream ? &stream_events : &plain_events, call, &fault);
    if (executing->workflow == NULL) {
        call->sink->failed(call, &fault);
    }
}

static void abandon(void *context, struct call *call) {
    (void)context;
    struct executing *executing = executing_of(call);
    if (executing->workflow != NULL) { /* a gateway that stops cuts its clients, which is not their will */
        workflow_leave(executing->workflow, !call->calls->draining);
        executing->workflow = NULL;
    }
}

const struct executor *workflow_executor(struct workflows *workflows) {
    workflows->executor = (struct executor){.context = workflows, .submit = submit, .abandon = abandon};
    return &workflows->executor;
}
