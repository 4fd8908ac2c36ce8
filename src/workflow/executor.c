/* An HTTP call whose answer a workflow makes. */
#include "api/stream.h"
#include "call/call.h"
#include "conversation/conversations.h"
#include "workflow/workflows.h"

static struct call_result result_of(const struct workflow_answer *answer) {
    return (struct call_result){.finish = answer->finish,
                                .usage = answer->usage,
                                .inference_type = "workflow",
                                .attempts = 1,
                                .latency_ms = answer->latency_ms,
                                .cost_nano = answer->cost_nano};
}

/* The whole text in call->answer: what has gone to the client already, and the rest. */
static void take_text(struct call *call, const struct workflow_answer *answer) {
    const size_t there = call->answer.len < answer->text.len ? call->answer.len : answer->text.len;
    /* Past its limit it can be neither stored nor repeated. */
    (void)buf_append_str(&call->answer,
                         (struct str){.data = answer->text.data + there, .len = answer->text.len - there});
}

static void on_step(void *context, const struct workflow_progress *progress) {
    struct call *call = context;
    if (call->stream) {
        stream_begin(call);
        stream_step(call, progress);
    }
}

static void on_text(void *context, struct str text) {
    struct call *call = context;
    call->workflow_sent += text.len;
    switch (api_call_deliver(call, text)) {
    case CALL_DELIVERED:
    case CALL_DELIVER_CUT: /* the workflow was left, and the call is gone */
        break;
    case CALL_DELIVER_TOO_LONG: /* not of streams, and others do not want it in parts */
        break;
    }
}

/* Both are asked before the end is stored; the client must not see the rest before it is. */
static bool with_text(struct call *call, const struct workflow_answer *answer, struct store_turn *turn,
                      struct store_answer *stored) {
    const struct call_result result = result_of(answer);
    take_text(call, answer);
    call->workflow_answer = answer;
    const bool made = turn != NULL ? api_call_turn(call, &result, turn) : api_call_answer(call, &result, stored);
    call->workflow_answer = NULL;
    return made;
}

static bool on_turn(void *context, const struct workflow_answer *answer, struct store_turn *turn) {
    return with_text(context, answer, turn, NULL);
}

static bool on_stored(void *context, const struct workflow_answer *answer, struct store_answer *stored) {
    return with_text(context, answer, NULL, stored);
}

static void on_end(void *context, const struct workflow_answer *answer) {
    struct call *call = context;
    const struct call_result result = result_of(answer);
    call->workflow = NULL;
    call->repeated = answer->repeated;
    call->workflow_answer = answer;
    take_text(call, answer);
    if (call->stream && answer->text.len > call->workflow_sent) {
        stream_begin(call);
        stream_write_text(call, (struct str){.data = answer->text.data + call->workflow_sent,
                                             .len = answer->text.len - call->workflow_sent});
    }
    api_call_finish(call, &result);
}

static void on_failed(void *context, const char *id, const struct fault *error) {
    struct call *call = context;
    (void)id;
    call->workflow = NULL;
    api_call_fail(call, error);
}

static const struct workflow_events stream_events = {.on_step = on_step,
                                                     .on_text = on_text,
                                                     .on_turn = on_turn,
                                                     .on_stored = on_stored,
                                                     .on_end = on_end,
                                                     .on_failed = on_failed};
static const struct workflow_events plain_events = {
    .on_turn = on_turn, .on_stored = on_stored, .on_end = on_end, .on_failed = on_failed};

void workflow_call_submit(struct call *call) {
    const struct conversation_call *conversation = call->conversation;
    const struct workflow_request asked = {.identity = &call->identity,
                                           .generation = &call->generation,
                                           .asked = call->orchestration,
                                           .region = call->region,
                                           .verified = call->verified,
                                           .label = call->label,
                                           .conversation_id =
                                               conversation != NULL ? conversation->conversation.id : NULL,
                                           .idempotency = call->claim != NULL ? claim_of(call->claim) : NULL,
                                           .conversation = conversation};
    struct fault error;
    call->workflow =
        workflow_start(call->api->workflows, &asked, call->stream ? &stream_events : &plain_events, call, &error);
    if (call->workflow == NULL) {
        api_call_fail(call, &error);
    }
}

void workflow_call_abandon(struct call *call) {
    if (call->workflow != NULL) { /* a gateway that stops cuts its clients, which is not their will */
        workflow_leave(call->workflow, !call->api->draining);
        call->workflow = NULL;
    }
}
