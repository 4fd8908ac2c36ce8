/* Workflows without HTTP: on the calls of support/call_fixture.h, with a waiter that notes what it is told. On a real
 * store, or for a test that defines WORKFLOW_FIXTURE_FAKE_STORE on a fake one. */
#ifndef NATARIS_TESTS_SUPPORT_WORKFLOW_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_WORKFLOW_FIXTURE_H

#ifdef WORKFLOW_FIXTURE_FAKE_STORE
#include "support/api_workflows.h"
#else
#define CALL_FIXTURE_REAL_STORE
#endif

#include "support/call_fixture.h"
#include "workflow/start.h"
#include "workflow/workflows.h"

struct workflow_fixture {
    struct call_fixture calls; /* first: a call_fixture */
    struct workflows *workflows;
};

/* --- Who waits --- */

struct waiter {
    struct workflow_fixture *fixture;
    struct workflow *workflow;   /* as long as it may be left */
    bool streams, leave_at_step; /* told before */
    int begun, waited, done, steps_failed, ended, failed;
    char id[ID_SIZE], text[4096], parts[4096], tool_calls[1024];
    struct workflow_answer answer; /* its texts are gone */
    struct fault fault;
};

static void waiter_on_step(void *context, const struct workflow_progress *progress) {
    struct waiter *waiter = context;
    waiter->begun += progress->step->state == CORE_STEP_RUNNING && progress->waits == WAITING_NOT;
    waiter->waited += progress->waits != WAITING_NOT;
    waiter->done += progress->step->state == CORE_STEP_DONE;
    waiter->steps_failed += progress->step->state == CORE_STEP_FAILED;
    (void)str_copy(waiter->id, sizeof(waiter->id), str_from(progress->id));
    if (waiter->leave_at_step) {
        workflow_leave(waiter->workflow, true);
    }
}

static void waiter_on_text(void *context, struct str text) {
    struct waiter *waiter = context;
    const size_t len = strlen(waiter->parts);
    (void)str_copy(waiter->parts + len, sizeof(waiter->parts) - len, text);
}

static void waiter_on_end(void *context, const struct workflow_answer *answer) {
    struct waiter *waiter = context;
    waiter->ended++;
    waiter->workflow = NULL;
    waiter->answer = *answer;
    (void)str_copy(waiter->id, sizeof(waiter->id), str_from(answer->id));
    (void)str_copy(waiter->text, sizeof(waiter->text), answer->text);
    (void)str_copy(waiter->tool_calls, sizeof(waiter->tool_calls), answer->tool_calls);
}

static void waiter_on_failed(void *context, const char *id, const struct fault *fault) {
    struct waiter *waiter = context;
    waiter->failed++;
    waiter->workflow = NULL;
    waiter->fault = *fault;
    (void)str_copy(waiter->id, sizeof(waiter->id), str_from(id));
}

static const struct workflow_events WAITER_WHOLE = {
    .on_step = waiter_on_step, .on_end = waiter_on_end, .on_failed = waiter_on_failed};
static const struct workflow_events WAITER_STREAM = {
    .on_step = waiter_on_step, .on_text = waiter_on_text, .on_end = waiter_on_end, .on_failed = waiter_on_failed};

/* --- What is asked --- */

/* One message of the user, for a workflow of that kind. */
struct asking {
    struct auth_identity identity;
    struct gen_message messages[3]; /* the last one is the task */
    struct gen_request generation;
    struct orchestration orchestration;
    struct idempotency idempotency;
    struct workflow_request request;
};

UNUSED static void asking_init(struct asking *asking, const struct workflow_fixture *fixture,
                               enum core_workflow_kind kind, const char *task) {
    *asking = (struct asking){.identity = call_fixture_identity(&fixture->calls.auth)};
    asking->messages[0] =
        (struct gen_message){.role = GEN_ROLE_USER, .content = str_from(task), .tool_call_id = STR("")};
    gen_request_init(&asking->generation);
    asking->generation.model = STR(CALL_FIXTURE_MODEL);
    asking->generation.messages = asking->messages;
    asking->generation.message_count = 1;
    orchestration_init(&asking->orchestration);
    asking->orchestration.enabled = true;
    asking->orchestration.automatic = false;
    asking->orchestration.kind = kind;
    asking->request = (struct workflow_request){.identity = &asking->identity,
                                                .generation = &asking->generation,
                                                .asked = &asking->orchestration,
                                                .label = STR("")};
}

/* NULL with waiter->fault. */
UNUSED static struct workflow *waiter_start(struct waiter *waiter, const struct asking *asking) {
    waiter->workflow = workflow_start(waiter->fixture->workflows, &asking->request,
                                      waiter->streams ? &WAITER_STREAM : &WAITER_WHOLE, waiter, &waiter->fault);
    if (waiter->workflow != NULL) {
        (void)str_copy(waiter->id, sizeof(waiter->id), str_from(waiter->workflow->row.id));
    }
    return waiter->workflow;
}

UNUSED static void waiter_begin(struct waiter *waiter, struct workflow_fixture *fixture, enum core_workflow_kind kind,
                                const char *task) {
    struct asking asking;
    asking_init(&asking, fixture, kind, task);
    waiter->fixture = fixture;
    assert_non_null(waiter_start(waiter, &asking));
}

UNUSED static void waiter_await(struct waiter *waiter) {
    NET_UNTIL(&waiter->fixture->calls.net, waiter->ended + waiter->failed > 0);
}

/* --- Its steps --- */

static void workflow_fixture_finish(struct call *call, const char *output, enum gen_finish finish, int64_t cost_nano) {
    const struct call_result result = {.finish = finish,
                                       .usage = {.prompt_tokens = 10, .completion_tokens = 5, .cached_tokens = 1},
                                       .provider_id = "prov_1",
                                       .inference_type = "p2p",
                                       .attempts = 1,
                                       .cost_nano = cost_nano};
    assert_int_not_equal(call->sink->deliver(call, str_from(output)), CALL_DELIVER_TOO_LONG);
    call->sink->finished(call, &result);
}

/* The next step's run comes and says this. */
UNUSED static void step_says(struct workflow_fixture *fixture, const char *output) {
    workflow_fixture_finish(call_fixture_take(&fixture->calls), output, GEN_FINISH_STOP, 100);
}

UNUSED static void step_fails(struct workflow_fixture *fixture, enum fault_code code) {
    struct call *call = call_fixture_take(&fixture->calls);
    call->sink->failed(call, &(struct fault){.code = code, .message = "it is said so"});
}

/* All of a run's messages, in one static text. */
UNUSED static const char *prompt_text(const struct call *call) {
    static char text[64 * 1024];
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < call->generation.message_count; i++) {
        len +=
            (size_t)snprintf(text + len, sizeof(text) - len, "%.*s\n", STR_ARG(call->generation.messages[i].content));
        assert_true(len < sizeof(text));
    }
    return text;
}

/* A text of many contexts, which is cut, read in parts, and put together again; the caller frees it. */
UNUSED static char *document_make(void) {
    enum { SIZE = 24 * 1024, LINES_END = 20 * 1024 };
    char *text = mem_calloc(1, SIZE);
    size_t len = 0;
    for (int i = 0; len < LINES_END; i++) {
        len += (size_t)snprintf(text + len, SIZE - len, "Line %d of a document that is far too long for one context.\n",
                                i);
    }
    snprintf(text + len, SIZE - len, "What is it about?");
    return text;
}

/* --- The fixture --- */

UNUSED static int workflow_setup(void **state) {
    struct workflow_fixture *fixture = MEM_NEW(struct workflow_fixture);
    call_fixture_open(&fixture->calls);
    fixture->calls.context_length = 2048;
    fixture->workflows = workflows_new(fixture->calls.calls);
    *state = fixture;
    return 0;
}

/* The gateway is killed and begins anew, on the same store: what runs is gone without a word to it. */
UNUSED static void workflow_restart(struct workflow_fixture *fixture) {
    struct workflow *workflow, *next;
    HASH_ITER (hh, fixture->workflows->list, workflow, next) {
        NET_UNTIL(&fixture->calls.net, workflow->asked_store == 0); /* the store's answers need somebody */
        for (uint32_t i = 0; i < workflow->step_count; i++) {
            struct workflow_step *step = workflow->steps[i];
            if (step->phase == STEP_UNDER_WAY) {
                run_cancel(step->run);
                step->phase = STEP_IDLE;
            }
        }
    }
    workflows_free(fixture->workflows);
    runs_close(fixture->calls.calls);
    runs_open(fixture->calls.calls);
    fixture->workflows = workflows_new(fixture->calls.calls);
    workflows_open(fixture->workflows);
}

UNUSED static int workflow_teardown(void **state) {
    struct workflow_fixture *fixture = *state;
    call_fixture_stop(&fixture->calls);
    workflows_free(fixture->workflows);
    call_fixture_close(&fixture->calls);
#ifdef WORKFLOW_FIXTURE_FAKE_STORE
    api_workflows_clear();
#endif
    free(fixture);
    return 0;
}

#endif
