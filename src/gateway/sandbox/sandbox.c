#include "gateway/sandbox/sandbox.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "gateway/internal.h"
#include "gateway/sandbox/account.h"
#include "gateway/sandbox/trigger.h"

enum { SANDBOX_SLOTS = 256, SANDBOX_SWEEP_MS = 250 };

struct sandbox_run {
    uint64_t id;
    struct gateway_job *job;
    uint64_t submitted_ms, first_ms; /* loop clock; first_ms is 0 before the first delta */
    uint64_t due_ms;                 /* the whole deadline, likewise */
    struct sandbox_account *account;
    int64_t held_nano, prompt_price_nano, completion_price_nano;
    struct sandbox_trigger trigger; /* its text is gone */
    uint32_t tokens;                /* delivered so far */
    bool failed;                    /* by run_fail */
    UT_hash_handle by_id;
};

struct sandbox {
    struct loop *loop;
    struct engine *engine;
    struct sandbox_run *runs;         /* uthash */
    struct sandbox_account *accounts; /* uthash */
    uint64_t next_id;
    uint32_t whole_ms, whole_per_token_ms;
    struct loop_timer *sweep;
    void (*on_closed)(void *context);
    void *closed_context;
};

static struct sandbox_run *run_find(const struct sandbox *sandbox, uint64_t id) {
    struct sandbox_run *run = NULL;
    HASH_FIND(by_id, sandbox->runs, &id, sizeof id, run);
    return run;
}

static void run_end(struct sandbox *sandbox, struct sandbox_run *run, enum store_outcome outcome) {
    gateway_job_end(run->job, outcome);
    HASH_DELETE(by_id, sandbox->runs, run);
    free(run);
}

static void run_void(struct sandbox *sandbox, struct sandbox_run *run) {
    sandbox_account_void(run->account, run->held_nano);
    run_end(sandbox, run, STORE_OUTCOME_FAILED);
}

static int64_t run_charge(const struct sandbox_run *run, const struct gen_usage *usage) {
    return (int64_t)usage->prompt_tokens * run->prompt_price_nano +
           (int64_t)usage->completion_tokens * run->completion_price_nano;
}

/* A client that has gone pays for what was produced, as with a device. */
static void run_settle(struct sandbox *sandbox, struct sandbox_run *run, const struct gen_done *done) {
    const int64_t charge = run_charge(run, &done->usage);
    sandbox_account_settle(run->account, run->held_nano, charge, run->job->record.model, &done->usage);
    run_end(sandbox, run, done->finish == GEN_FINISH_CANCELLED ? STORE_OUTCOME_CANCELLED : STORE_OUTCOME_COMPLETED);
}

/* It costs nothing; the run ends when the engine has stopped. */
static void run_fail(struct sandbox *sandbox, struct sandbox_run *run, const struct fault *error) {
    api_call_fail(run->job->call, error);
    run->job->call = NULL;
    run->failed = true;
    sandbox->engine->ops->cancel(sandbox->engine, run->id);
}

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    (void)context;
    (void)state; /* the scripted engine is ready at once */
    (void)facts;
    (void)why;
}

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    const struct sandbox_run *run = run_find(context, job);
    (void)prompt_tokens;
    if (run != NULL && run->job->call != NULL) {
        api_call_accepted(run->job->call);
    }
}

static void on_delta(void *context, uint64_t job, struct str text, uint32_t tokens) {
    struct sandbox *sandbox = context;
    struct sandbox_run *run = run_find(sandbox, job);
    struct fault error;
    if (run == NULL || run->job->call == NULL) {
        return;
    }
    run->tokens += tokens;
    if (run->first_ms == 0) {
        run->first_ms = loop_now_ms(sandbox->loop);
    }
    switch (api_call_deliver(run->job->call, text)) {
    case CALL_DELIVERED:
        if (run->trigger.fails && run->tokens >= run->trigger.after) {
            run_fail(sandbox, run, &run->trigger.error);
        }
        break;
    case CALL_DELIVER_CUT:
        run->job->call = NULL; /* abandon has been called */
        break;
    case CALL_DELIVER_TOO_LONG:
        gateway_error_too_long(&error);
        run_fail(sandbox, run, &error);
        break;
    }
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct sandbox *sandbox = context;
    struct sandbox_run *run = run_find(sandbox, job);
    if (run == NULL) {
        return;
    }
    if (run->failed) {
        run_void(sandbox, run);
        return;
    }
    if (run->job->call != NULL) {
        const uint64_t now = loop_now_ms(sandbox->loop);
        const uint64_t first = run->first_ms == 0 ? now : run->first_ms;
        const struct call_result result = {.finish = done->finish,
                                           .usage = done->usage,
                                           .inference_type = "sandbox",
                                           .attempts = 1,
                                           .ttft_ms = (uint32_t)(first - run->submitted_ms),
                                           .latency_ms = (uint32_t)(now - run->submitted_ms),
                                           .cost_nano = run_charge(run, &done->usage)};
        api_call_finish(run->job->call, &result);
    }
    run_settle(sandbox, run, done);
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    struct sandbox *sandbox = context;
    struct sandbox_run *run = run_find(sandbox, job);
    if (run == NULL) {
        return;
    }
    if (run->job->call != NULL) {
        struct fault error;
        gateway_error_from_engine(failure, message, param, &error);
        api_call_fail(run->job->call, &error);
    }
    run_void(sandbox, run);
}

/* A script may be silent for ever: without an end, such jobs would take all slots. */
static void fail_overdue(void *context) {
    struct sandbox *sandbox = context;
    const uint64_t now = loop_now_ms(sandbox->loop);
    struct sandbox_run *run, *next;
    HASH_ITER (by_id, sandbox->runs, run, next) {
        if (run->job->call != NULL && now >= run->due_ms) {
            const struct fault error = {.code = FAULT_REQUEST_TIMEOUT,
                                        .message = "The sandbox did not finish in time. Retry the request."};
            run_fail(sandbox, run, &error);
        }
    }
    if (sandbox->runs == NULL) {
        loop_timer_stop(sandbox->sweep);
    }
}

static const struct engine_events SANDBOX_EVENTS = {
    .on_state = on_state, .on_accept = on_accept, .on_delta = on_delta, .on_done = on_done, .on_failed = on_failed};

struct sandbox *sandbox_new(struct loop *loop, const struct core_config *config) {
    struct sandbox *sandbox = MEM_NEW(struct sandbox);
    struct err err;
    sandbox->loop = loop;
    sandbox->whole_ms = config->whole_ms;
    sandbox->whole_per_token_ms = config->whole_per_token_ms;
    sandbox->sweep = loop_timer_new(loop, fail_overdue, sandbox);
    const struct engine_options options = {.loop = loop, .model_id = "sandbox", .slots = SANDBOX_SLOTS};
    if (!ENGINE_SCRIPTED.open(&sandbox->engine, &options, &SANDBOX_EVENTS, sandbox, &err)) {
        LOG_ERROR_EVENT("sandbox.broken", LOG_TEXT("error", err.message));
        abort(); /* the scripted engine refuses nothing but options that this file has wrong */
    }
    return sandbox;
}

/* What the call may cost at most; the bounds on both kinds of tokens keep it far below what int64_t holds. */
static int64_t call_hold_nano(const struct call *call) {
    return (int64_t)call->prompt_tokens_max * call->prompt_price_nano +
           (int64_t)call->generation.max_tokens * call->completion_price_nano;
}

static void job_refuse(struct gateway_job *job, const struct fault *error) {
    api_call_fail(job->call, error);
    gateway_job_end(job, STORE_OUTCOME_FAILED);
}

static struct sandbox_run *run_new(struct sandbox *sandbox, struct gateway_job *job,
                                   const struct sandbox_trigger *trigger, struct sandbox_account *account) {
    const struct call *call = job->call;
    struct sandbox_run *run = MEM_NEW(struct sandbox_run);
    run->id = ++sandbox->next_id;
    run->job = job;
    run->submitted_ms = loop_now_ms(sandbox->loop);
    run->account = account;
    run->held_nano = call_hold_nano(call);
    run->prompt_price_nano = call->prompt_price_nano;
    run->completion_price_nano = call->completion_price_nano;
    run->trigger = *trigger;
    run->trigger.text = STR("");
    run->due_ms =
        run->submitted_ms + sandbox->whole_ms + (uint64_t)sandbox->whole_per_token_ms * call->generation.max_tokens;
    return run;
}

void sandbox_submit(struct sandbox *sandbox, struct gateway_job *job) {
    struct call *call = job->call;
    struct sandbox_trigger trigger;
    struct gen_request request;
    struct fault error = {.code = FAULT_TOO_LARGE, .message = "The request is too large."};
    if (!sandbox_trigger_read(&call->generation, &trigger) || (trigger.fails && trigger.after == 0)) {
        job_refuse(job, &trigger.error);
        return;
    }
    if (!sandbox_trigger_translate(&trigger, &call->generation, call->arena, &request)) {
        job_refuse(job, &error);
        return;
    }
    struct sandbox_account *account = sandbox_account_get(&sandbox->accounts, call->identity.account_id);
    if (!sandbox_account_hold(account, call_hold_nano(call))) {
        error = (struct fault){.code = FAULT_INSUFFICIENT_CREDITS,
                               .message = "The sandbox's balance does not cover what this request may cost at most. "
                                          "It is full again when the gateway restarts."};
        job_refuse(job, &error);
        return;
    }
    struct sandbox_run *run = run_new(sandbox, job, &trigger, account);
    if (sandbox->runs == NULL) {
        loop_timer_start(sandbox->sweep, SANDBOX_SWEEP_MS, SANDBOX_SWEEP_MS);
    }
    HASH_ADD(by_id, sandbox->runs, id, sizeof run->id, run);
    job->sandbox_run = run->id;
    sandbox->engine->ops->submit(sandbox->engine, run->id, &request);
}

void sandbox_usage(struct sandbox *sandbox, const struct auth_identity *identity, struct store_usage *usage) {
    *usage = sandbox_account_get(&sandbox->accounts, identity->account_id)->usage;
}

void sandbox_stop(struct sandbox *sandbox, const struct fault *error) {
    struct sandbox_run *run, *next;
    HASH_ITER (by_id, sandbox->runs, run, next) {
        if (run->job->call != NULL) {
            run_fail(sandbox, run, error);
        }
    }
}

void sandbox_abandon(struct sandbox *sandbox, struct gateway_job *job) {
    sandbox->engine->ops->cancel(sandbox->engine, job->sandbox_run);
}

static void engine_closed(void *context) {
    struct sandbox *sandbox = context;
    void (*on_closed)(void *) = sandbox->on_closed;
    void *closed_context = sandbox->closed_context;
    struct sandbox_run *run = sandbox->runs;
    HASH_CLEAR(by_id, sandbox->runs); /* frees the table; the runs themselves stay chained */
    while (run != NULL) {
        struct sandbox_run *next = run->by_id.next;
        gateway_job_end(run->job, STORE_OUTCOME_CANCELLED);
        free(run);
        run = next;
    }
    sandbox_accounts_clear(&sandbox->accounts);
    loop_timer_free(sandbox->sweep);
    free(sandbox);
    on_closed(closed_context);
}

void sandbox_close(struct sandbox *sandbox, void (*on_closed)(void *context), void *context) {
    sandbox->on_closed = on_closed;
    sandbox->closed_context = context;
    sandbox->engine->ops->close(sandbox->engine, engine_closed, sandbox);
}
