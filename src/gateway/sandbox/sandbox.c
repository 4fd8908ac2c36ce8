#include "gateway/sandbox/sandbox.h"

#include "base/log.h"
#include "base/mem.h"
#include "call/failure.h"
#include "engine/engine.h"
#include "gateway/sandbox/account.h"
#include "gateway/sandbox/trigger.h"

#include <stdlib.h>
#include <uthash.h>

enum { SANDBOX_SLOTS = 256, SANDBOX_SWEEP_MS = 250 };

struct answering {
    uint64_t id;
    struct call *call; /* NULL once it has its end, or its client has gone */
    char model[STORE_MODEL_MAX];
    uint64_t submitted_ms, first_ms; /* loop clock; first_ms is 0 before the first delta */
    uint64_t due_ms;                 /* the whole deadline, likewise */
    struct sandbox_account *account;
    int64_t held_nano, prompt_price_nano, completion_price_nano;
    struct sandbox_trigger trigger; /* its text is gone */
    uint32_t tokens;                /* delivered so far */
    bool failed;                    /* by answering_fail */
    struct sandbox *sandbox;        /* for the store's answer */
    struct gen_done done;           /* while its turn is on the way into the store */
    bool settling;
    UT_hash_handle by_id;
};

struct sandbox {
    struct loop *loop;
    struct engine *engine;
    struct answering *answerings;     /* uthash */
    struct sandbox_account *accounts; /* uthash */
    uint64_t next_id;
    struct buf logprobs; /* of the delta that comes next */
    uint32_t whole_ms, whole_per_token_ms;
    struct loop_timer *sweep;
    size_t settling;    /* answerings whose turn is on the way into the store */
    bool engine_closed; /* the rest waits for these */
    void (*on_closed)(void *context);
    void *closed_context;
    struct executor executor;
};

static struct answering *answering_find(const struct sandbox *sandbox, uint64_t id) {
    struct answering *answering = NULL;
    HASH_FIND(by_id, sandbox->answerings, &id, sizeof(id), answering);
    return answering;
}

static void answering_end(struct sandbox *sandbox, struct answering *answering) {
    HASH_DELETE(by_id, sandbox->answerings, answering);
    free(answering);
}

static void answering_void(struct sandbox *sandbox, struct answering *answering) {
    sandbox_account_void(answering->account, answering->held_nano);
    answering_end(sandbox, answering);
}

static int64_t answering_charge(const struct answering *answering, const struct gen_usage *usage) {
    return (int64_t)usage->prompt_tokens * answering->prompt_price_nano +
           (int64_t)usage->completion_tokens * answering->completion_price_nano;
}

static struct call_result answering_result(const struct answering *answering) {
    const uint64_t now = loop_now_ms(answering->sandbox->loop);
    const uint64_t first = answering->first_ms == 0 ? now : answering->first_ms;
    return (struct call_result){.finish = answering->done.finish,
                                .stop = answering->done.stop,
                                .usage = answering->done.usage,
                                .inference_type = "sandbox",
                                .attempts = 1,
                                .ttft_ms = (uint32_t)(first - answering->submitted_ms),
                                .latency_ms = (uint32_t)(now - answering->submitted_ms),
                                .cost_nano = answering_charge(answering, &answering->done.usage)};
}

/* Settled before its client hears of it, as with a live key. A client that has gone pays for what was produced, as with
 * a device. */
static void answering_finish(struct answering *answering) {
    struct call *call = answering->call;
    const struct call_result result = answering_result(answering);
    sandbox_account_settle(answering->account, answering->held_nano, result.cost_nano, answering->model,
                           &answering->done.usage);
    answering_end(answering->sandbox, answering);
    if (call != NULL) {
        call->sink->finished(call, &result);
    }
}

static void sandbox_closed(struct sandbox *sandbox);

/* Its turn is in its conversation, or could not be written: then its client gets no answer and pays nothing. */
static void on_turn_kept(void *context, const struct err *err) {
    struct answering *answering = context;
    struct sandbox *sandbox = answering->sandbox;
    answering->settling = false;
    sandbox->settling--;
    if (err == NULL) {
        answering_finish(answering);
    } else {
        struct call *call = answering->call;
        LOG_WARN_EVENT("sandbox.turn_not_kept", LOG_TEXT("error", err->message));
        answering_void(sandbox, answering);
        if (call != NULL) {
            struct fault fault;
            fault_from_err(&fault, err);
            call->sink->failed(call, &fault);
        }
    }
    if (sandbox->engine_closed && sandbox->settling == 0) {
        sandbox_closed(sandbox);
    }
}

/* It costs nothing; the answering ends when the engine has stopped. */
static void answering_fail(struct sandbox *sandbox, struct answering *answering, const struct fault *fault) {
    answering->call->sink->failed(answering->call, fault);
    answering->call = NULL;
    answering->failed = true;
    sandbox->engine->ops->cancel(sandbox->engine, answering->id);
}

static void on_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    (void)context;
    (void)state; /* the scripted engine is ready at once */
    (void)facts;
    (void)why;
}

static void on_accept(void *context, uint64_t generation, uint32_t prompt_tokens) {
    const struct answering *answering = answering_find(context, generation);
    (void)prompt_tokens;
    if (answering != NULL && answering->call != NULL) {
        answering->call->sink->accepted(answering->call);
    }
}

static void on_logprobs(void *context, uint64_t generation, struct str logprobs) {
    struct sandbox *sandbox = context;
    (void)generation; /* its delta follows at once */
    buf_reset(&sandbox->logprobs);
    (void)buf_append_str(&sandbox->logprobs, logprobs);
}

/* What goes with a text. */
static void add_logprobs(struct sandbox *sandbox, const struct call *call, struct str text) {
    if (call->logprobs != NULL) {
        call_logprobs_add(call->logprobs, text, buf_str(&sandbox->logprobs));
    }
    buf_reset(&sandbox->logprobs);
}

static void on_delta(void *context, uint64_t generation, struct str text, const uint32_t *ids, uint32_t tokens) {
    (void)ids;
    struct sandbox *sandbox = context;
    struct answering *answering = answering_find(sandbox, generation);
    struct fault error;
    if (answering == NULL || answering->call == NULL) {
        return;
    }
    answering->tokens += tokens;
    if (answering->first_ms == 0) {
        answering->first_ms = loop_now_ms(sandbox->loop);
    }
    add_logprobs(sandbox, answering->call, text);
    switch (answering->call->sink->deliver(answering->call, text)) {
    case CALL_DELIVERED:
        if (answering->trigger.fails && answering->tokens >= answering->trigger.after) {
            answering_fail(sandbox, answering, &answering->trigger.error);
        }
        break;
    case CALL_DELIVER_CUT:
        answering->call = NULL; /* abandon has been called */
        break;
    case CALL_DELIVER_TOO_LONG:
        failure_too_long(&error);
        answering_fail(sandbox, answering, &error);
        break;
    }
}

static void on_done(void *context, uint64_t generation, const struct gen_done *done) {
    struct sandbox *sandbox = context;
    struct answering *answering = answering_find(sandbox, generation);
    if (answering == NULL) {
        return;
    }
    if (answering->failed) {
        answering_void(sandbox, answering);
        return;
    }
    answering->done = *done;
    if (answering->call != NULL) {
        const struct call_result result = answering_result(answering);
        struct store_turn turn;
        if (answering->call->sink->turn(answering->call, &result, &turn)) {
            answering->settling = true;
            sandbox->settling++;
            store_turn_keep(answering->call->calls->store, &turn, on_turn_kept, answering);
            return;
        }
    }
    answering_finish(answering);
}

static void on_failed(void *context, uint64_t generation, enum gen_failure failure, const char *message,
                      const char *param) {
    struct sandbox *sandbox = context;
    struct answering *answering = answering_find(sandbox, generation);
    if (answering == NULL) {
        return;
    }
    if (answering->call != NULL) {
        struct fault error;
        failure_from_engine(failure, message, param, &error);
        answering->call->sink->failed(answering->call, &error);
    }
    answering_void(sandbox, answering);
}

/* A script may be silent for ever: without an end, such calls would take all slots. */
static void fail_overdue(void *context) {
    struct sandbox *sandbox = context;
    const uint64_t now = loop_now_ms(sandbox->loop);
    struct answering *answering, *next;
    HASH_ITER (by_id, sandbox->answerings, answering, next) {
        if (answering->call != NULL && !answering->settling && now >= answering->due_ms) {
            const struct fault error = {.code = FAULT_REQUEST_TIMEOUT,
                                        .message = "The sandbox did not finish in time. Retry the request."};
            answering_fail(sandbox, answering, &error);
        }
    }
    if (sandbox->answerings == NULL) {
        loop_timer_stop(sandbox->sweep);
    }
}

static const struct engine_events SANDBOX_EVENTS = {.on_state = on_state,
                                                    .on_accept = on_accept,
                                                    .on_logprobs = on_logprobs,
                                                    .on_delta = on_delta,
                                                    .on_done = on_done,
                                                    .on_failed = on_failed};

/* What the call may cost at most; the bounds on both kinds of tokens keep it far below what int64_t holds. */
static int64_t call_hold_nano(const struct call *call) {
    return (int64_t)call->prompt_tokens_max * call->prompt_price_nano +
           (int64_t)call->generation.max_tokens * call->completion_price_nano;
}

static struct answering *answering_new(struct sandbox *sandbox, struct call *call,
                                       const struct sandbox_trigger *trigger, struct sandbox_account *account) {
    struct answering *answering = MEM_NEW(struct answering);
    answering->id = ++sandbox->next_id;
    answering->call = call;
    answering->sandbox = sandbox;
    (void)str_copy(answering->model, sizeof(answering->model), call->generation.model);
    answering->submitted_ms = loop_now_ms(sandbox->loop);
    answering->account = account;
    answering->held_nano = call_hold_nano(call);
    answering->prompt_price_nano = call->prompt_price_nano;
    answering->completion_price_nano = call->completion_price_nano;
    answering->trigger = *trigger;
    answering->trigger.text = STR("");
    answering->due_ms = answering->submitted_ms + sandbox->whole_ms +
                        (uint64_t)sandbox->whole_per_token_ms * call->generation.max_tokens;
    return answering;
}

/* The sandbox has limits and money of its own, but the operator's word holds there, too. */
static bool is_suspended(const struct call *call) {
    const struct call_backend *backend = &call->calls->backend;
    struct core_account_view view;
    return backend->account_view(backend->context, &call->identity, &view) && view.suspended;
}

static void submit(void *context, struct call *call) {
    struct sandbox *sandbox = context;
    struct sandbox_trigger trigger;
    struct gen_request request;
    struct fault fault;
    if (is_suspended(call)) {
        failure_suspended(&fault);
        call->sink->failed(call, &fault);
        return;
    }
    if (!sandbox_trigger_read(&call->generation, &trigger) || (trigger.fails && trigger.after == 0)) {
        call->sink->failed(call, &trigger.error);
        return;
    }
    if (!sandbox_trigger_translate(&trigger, &call->generation, call->arena, &request)) {
        fault_set_too_large(&fault);
        call->sink->failed(call, &fault);
        return;
    }
    struct sandbox_account *account = sandbox_account_get(&sandbox->accounts, call->identity.account_id);
    if (!sandbox_account_hold(account, call_hold_nano(call))) {
        fault_set(&fault, FAULT_INSUFFICIENT_CREDITS,
                  "The sandbox's balance does not cover what this request may cost at most. It is full again when the "
                  "gateway restarts.");
        call->sink->failed(call, &fault);
        return;
    }
    struct answering *answering = answering_new(sandbox, call, &trigger, account);
    if (sandbox->answerings == NULL) {
        loop_timer_start(sandbox->sweep, SANDBOX_SWEEP_MS, SANDBOX_SWEEP_MS);
    }
    HASH_ADD(by_id, sandbox->answerings, id, sizeof(answering->id), answering);
    call->executor_data = answering;
    sandbox->engine->ops->submit(sandbox->engine, answering->id, &request);
}

/* It is settled, or dropped, once the engine confirms. */
static void abandon(void *context, struct call *call) {
    struct sandbox *sandbox = context;
    struct answering *answering = call->executor_data;
    answering->call = NULL;
    if (!answering->settling) {
        sandbox->engine->ops->cancel(sandbox->engine, answering->id);
    }
}

void sandbox_usage(struct sandbox *sandbox, const struct auth_identity *identity, struct store_usage *usage) {
    *usage = sandbox_account_get(&sandbox->accounts, identity->account_id)->usage;
}

void sandbox_stop(struct sandbox *sandbox, const struct fault *fault) {
    struct answering *answering, *next;
    HASH_ITER (by_id, sandbox->answerings, answering, next) {
        if (answering->call != NULL && !answering->settling) {
            answering_fail(sandbox, answering, fault);
        }
    }
}

static void sandbox_closed(struct sandbox *sandbox) {
    void (*on_closed)(void *) = sandbox->on_closed;
    void *closed_context = sandbox->closed_context;
    struct answering *answering = sandbox->answerings;
    HASH_CLEAR(by_id, sandbox->answerings); /* frees the table; the elements stay chained */
    while (answering != NULL) {
        struct answering *next = answering->by_id.next;
        free(answering);
        answering = next;
    }
    sandbox_accounts_clear(&sandbox->accounts);
    loop_timer_free(sandbox->sweep);
    buf_clear(&sandbox->logprobs);
    free(sandbox);
    on_closed(closed_context);
}

static void engine_closed(void *context) {
    struct sandbox *sandbox = context;
    sandbox->engine_closed = true;
    if (sandbox->settling == 0) {
        sandbox_closed(sandbox);
    }
}

void sandbox_close(struct sandbox *sandbox, void (*on_closed)(void *context), void *context) {
    sandbox->on_closed = on_closed;
    sandbox->closed_context = context;
    sandbox->engine->ops->close(sandbox->engine, engine_closed, sandbox);
}

/* --- Life --- */

struct sandbox *sandbox_new(struct loop *loop, const struct core_config *config) {
    struct sandbox *sandbox = MEM_NEW(struct sandbox);
    sandbox->loop = loop;
    buf_init(&sandbox->logprobs, LIMIT_LOGPROBS_BYTES);
    sandbox->whole_ms = config->whole_ms;
    sandbox->whole_per_token_ms = config->whole_per_token_ms;
    sandbox->sweep = loop_timer_new(loop, fail_overdue, sandbox);
    sandbox->executor = (struct executor){.context = sandbox, .submit = submit, .abandon = abandon};
    return sandbox;
}

void sandbox_start(struct sandbox *sandbox) {
    const struct engine_options options = {.loop = sandbox->loop, .model_id = "sandbox", .slots = SANDBOX_SLOTS};
    struct err err;
    if (!ENGINE_SCRIPTED.open(&sandbox->engine, &options, &SANDBOX_EVENTS, sandbox, &err)) {
        LOG_ERROR_EVENT("sandbox.broken", LOG_TEXT("error", err.message));
        abort(); /* the scripted engine refuses nothing but options that this file has wrong */
    }
}

void sandbox_free(struct sandbox *sandbox) {
    if (sandbox != NULL) {
        loop_timer_free(sandbox->sweep);
        free(sandbox);
    }
}

size_t sandbox_count(const struct sandbox *sandbox) {
    return HASH_CNT(by_id, sandbox->answerings);
}

const struct executor *sandbox_executor(const struct sandbox *sandbox) {
    return &sandbox->executor;
}
