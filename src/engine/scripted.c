/* The scripted engine: no model, but the behaviour of one: slots, a queue, prefill, pacing, stop strings, failures.
 * For tests, benchmarks and sandbox keys. What it says is in engine/script.h. */
#include "engine/engine.h"

#include "base/buf.h"
#include "base/mem.h"
#include "engine/context_limit.h"
#include "engine/script.h"
#include "engine/script_score.h"
#include "engine/stop_filter.h"
#include "wire/limits.h"
#include "wire/logprobs.h"

#include <stdlib.h>
#include <unistd.h>
#include <utlist.h>

enum {
    SCRIPTED_SLOTS = 8,
    SCRIPTED_CONTEXT = 4096,
    SCRIPTED_QUEUE_MAX = 1024,
    SCRIPTED_GATHER_MS = 200, /* between the deltas of a job that is not streamed */
    SCRIPTED_GATHER_BYTES = 32 * 1024,
    SCRIPTED_OUT_MAX = 2 * 1024 * 1024,
    SCRIPTED_IDS_MAX = 64 * 1024 * 1024, /* of tokens without text, too, and of claimed ones */
    SCRIPTED_READ_MS = 200,              /* between two words on how far the prompt is read */
    SCRIPTED_EXIT_MS = 20,               /* for the last words to leave the process */
};

struct scripted_job {
    uint64_t id;
    struct script script;
    struct stop_filter filter;
    struct buf out;      /* text not sent yet */
    uint32_t out_tokens; /* tokens not reported yet */
    struct buf out_ids;  /* their ids */
    struct buf logprobs; /* of these, if they were asked for */
    size_t ready_bytes;  /* so much of both may be sent: it ends with a token */
    uint32_t ready_tokens;
    uint32_t prompt_tokens, max_tokens, completion_tokens;
    uint32_t read_tokens; /* of the prompt, as told last */
    bool wants_logprobs;
    uint32_t top_logprobs;
    bool stream, chat, max_tokens_given, cancelled, bad_script, bad_bias, overloaded;
    bool continues; /* behind script.produced tokens of another device */
    bool scores;    /* `score` is its outcome, or bad_script */
    bool exiting;   /* what was said is on its way; then the process ends */
    struct gen_score score;
    uint64_t submitted_ms, accepted_ms, first_ms, sent_ms; /* first_ms: when prefill is over */
    uint64_t due_ms;                                       /* when there is something to do; UINT64_MAX: never */
    struct scripted_job *prev, *next;
};

struct scripted {
    struct engine base;
    struct loop *loop;
    const struct engine_events *events;
    void *context;
    struct engine_facts facts;
    struct script_device device; /* its words are owned */
    uint64_t ready_ms;
    enum engine_state state;
    struct loop_timer *timer;
    struct loop_deferred deferred;
    struct scripted_job *queue, *active;
    uint32_t queued, running;
    bool closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void job_free(struct scripted_job *job) {
    script_clear(&job->script);
    stop_filter_clear(&job->filter);
    buf_clear(&job->out);
    buf_clear(&job->out_ids);
    buf_clear(&job->logprobs);
    free(job);
}

static void job_end(struct scripted *engine, struct scripted_job *job) {
    DL_DELETE(engine->active, job);
    engine->running--;
    job_free(job);
}

static void job_fail(struct scripted *engine, struct scripted_job *job, enum gen_failure failure, const char *message,
                     const char *param) {
    uint64_t id = job->id;
    job_end(engine, job);
    engine->events->on_failed(engine->context, id, failure, message, param);
}

static void job_done(struct scripted *engine, struct scripted_job *job, enum gen_finish finish, uint64_t now) {
    uint64_t id = job->id;
    uint64_t accepted = job->accepted_ms > 0 ? job->accepted_ms : now;
    uint64_t first = job->first_ms > accepted && job->first_ms < now ? job->first_ms : accepted;
    struct gen_done done = {.finish = finish,
                            .stop = finish == GEN_FINISH_STOP ? job->filter.stopped_by : 0,
                            .usage = {.prompt_tokens = job->accepted_ms > 0 ? job->prompt_tokens : 0,
                                      .completion_tokens = job->completion_tokens * job->script.lie},
                            .timings = {.queue_ms = (uint32_t)(accepted - job->submitted_ms),
                                        .prefill_ms = (uint32_t)(first - accepted),
                                        .decode_ms = (uint32_t)(now - first)}};
    job_end(engine, job);
    engine->events->on_done(engine->context, id, &done);
}

static void job_flush(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    if (job->ready_bytes == 0) {
        return;
    }
    uint32_t tokens = job->ready_tokens;
    struct str text = {job->out.data, job->ready_bytes};
    job->out_tokens -= tokens;
    job->ready_tokens = 0;
    job->ready_bytes = 0;
    job->sent_ms = now;
    if (job->logprobs.len > 0 && engine->events->on_logprobs != NULL) {
        const struct str all = buf_str(&job->logprobs);
        const size_t len = gen_logprobs_prefix(all, tokens);
        engine->events->on_logprobs(engine->context, job->id, (struct str){all.data, len});
        buf_consume(&job->logprobs, len);
    }
    const bool known = job->out_ids.len / sizeof(uint32_t) >= tokens;
    const uint32_t *ids = known ? (const uint32_t *)(void *)job->out_ids.data : NULL;
    engine->events->on_delta(engine->context, job->id, text, ids, tokens);
    buf_consume(&job->out, text.len);
    buf_consume(&job->out_ids, known ? tokens * sizeof(*ids) : 0);
}

static void job_mark_ready(struct scripted_job *job) {
    job->ready_bytes = job->out.len;
    job->ready_tokens = job->out_tokens;
}

/* False when the job is over: it failed here, or the caller is to finish it with *finish. */
static bool job_produce(struct scripted_job *job, enum gen_finish *finish) {
    struct str token;
    *finish = GEN_FINISH_STOP;
    if (job->completion_tokens >= job->max_tokens) {
        *finish = GEN_FINISH_LENGTH;
        return false;
    }
    if (!script_next(&job->script, &token)) {
        return false;
    }
    job->completion_tokens++;
    job->out_tokens += job->script.lie;
    const uint32_t id = script_token_id(token);
    for (uint32_t i = 0; i < job->script.lie; i++) {
        buf_append(&job->out_ids, &id, sizeof(id));
    }
    for (uint32_t i = 0; job->wants_logprobs && i < job->script.lie; i++) {
        script_append_logprobs(&job->script, token, job->top_logprobs, &job->logprobs);
    }
    bool stopped = stop_filter_feed(&job->filter, token, &job->out);
    if (!stop_filter_holds(&job->filter) || job->out.len >= LIMIT_DELTA_BYTES) {
        job_mark_ready(job);
    }
    return !stopped;
}

static void job_finish(struct scripted *engine, struct scripted_job *job, enum gen_finish finish, uint64_t now) {
    stop_filter_finish(&job->filter, &job->out);
    job_mark_ready(job);
    job_flush(engine, job, now);
    if (!engine->closing) {
        job_done(engine, job, finish, now);
    }
}

/* How many tokens are due by now. */
static uint32_t job_target(const struct scripted_job *job, uint64_t now) {
    if (job->script.rate <= 0) {
        return UINT32_MAX;
    }
    double due = (double)(now - job->first_ms) * job->script.rate / 1000.0;
    return due < (double)UINT32_MAX ? (uint32_t)due : UINT32_MAX;
}

/* True when the script has the job break off here. */
static bool job_breaks_off(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    const struct script *script = &job->script;
    bool exits = script->exits && job->completion_tokens >= script->exit_after;
    bool late = script->late && job->completion_tokens >= script->after;
    if (!exits && !(late && (script->silent || script->fails))) {
        return false;
    }
    if (job->exiting) {
        _exit(1);
    }
    job->exiting = exits;
    job->due_ms = exits ? now + SCRIPTED_EXIT_MS : UINT64_MAX;
    bool fails = !exits && !script->silent;
    job_flush(engine, job, now);
    if (fails && !engine->closing) {
        job_fail(engine, job, script->failure, "the script asked for this failure", NULL);
    }
    return true;
}

/* Tells how far the prompt is read, and when there is more to tell. */
static void job_read(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    uint64_t tokens = (uint64_t)job->prompt_tokens + job->script.produced;
    uint64_t done = tokens * (now - job->accepted_ms) / (job->first_ms - job->accepted_ms);
    uint64_t next_ms = now + SCRIPTED_READ_MS;
    job->due_ms = next_ms < job->first_ms ? next_ms : job->first_ms;
    if (done > job->read_tokens && engine->events->on_read != NULL) {
        job->read_tokens = (uint32_t)done;
        engine->events->on_read(engine->context, job->id, (uint32_t)done);
    }
}

/* Says what is due, then sets when there is more to say. Events may cancel the job or close the engine. */
static void job_speak(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    uint32_t target = job_target(job, now);
    while (job->completion_tokens < target || job->completion_tokens >= job->max_tokens) {
        enum gen_finish finish;
        if (job_breaks_off(engine, job, now)) {
            return;
        }
        if (!job_produce(job, &finish)) {
            job_finish(engine, job, finish, now);
            return;
        }
        bool gathered = now - job->sent_ms >= SCRIPTED_GATHER_MS && job->script.rate > 0;
        if (job->stream || gathered || job->out.len + job->logprobs.len >= SCRIPTED_GATHER_BYTES) {
            job_flush(engine, job, now);
        }
        if (engine->closing || job->cancelled) {
            return;
        }
    }
    double next_ms = (double)(job->completion_tokens + 1) * 1000.0 / job->script.rate;
    job->due_ms = job->first_ms + (uint64_t)next_ms + 1;
}

static void job_accept(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    bool chat = job->chat;
    job->accepted_ms = now;
    job->first_ms = now + job->script.prefill_ms;
    job->sent_ms = job->first_ms;
    if (job->bad_script) {
        job_fail(engine, job, GEN_FAILURE_BAD_REQUEST, "the script directive is not understood",
                 chat ? "messages" : "prompt");
        return;
    }
    if (job->bad_bias) {
        job_fail(engine, job, GEN_FAILURE_BAD_REQUEST, "logit_bias names a word that is not known", "logit_bias");
        return;
    }
    if (job->script.fails && !job->script.late) {
        job_fail(engine, job, job->script.failure, "the script asked for this failure", NULL);
        return;
    }
    const struct context_use use = {.prompt_tokens = job->prompt_tokens,
                                    .continued_tokens = job->script.produced,
                                    .continues = job->continues,
                                    .given = job->max_tokens_given,
                                    .chat = chat};
    if (!context_limit_fit(engine->facts.context_length, &use, &job->max_tokens, message)) {
        job_fail(engine, job, GEN_FAILURE_CONTEXT_LENGTH, message, chat ? "messages" : "prompt");
        return;
    }
    uint64_t read_ms = now + SCRIPTED_READ_MS;
    read_ms = read_ms < job->first_ms ? read_ms : job->first_ms;
    job->due_ms = job->script.silent && !job->script.late ? UINT64_MAX : read_ms;
    engine->events->on_accept(engine->context, job->id, job->prompt_tokens);
}

static void job_scored(struct scripted *engine, struct scripted_job *job) {
    const struct gen_score score = job->score;
    const uint64_t id = job->id;
    if (job->bad_script) {
        job_fail(engine, job, GEN_FAILURE_BAD_REQUEST, "the script directive is not understood", NULL);
        return;
    }
    job_end(engine, job);
    if (engine->events->on_scored != NULL) {
        engine->events->on_scored(engine->context, id, &score);
    }
}

static void job_advance(struct scripted *engine, struct scripted_job *job, uint64_t now) {
    if (engine->state != ENGINE_READY) {
        job_fail(engine, job, GEN_FAILURE_MODEL_MISSING, "the model is not loaded", NULL);
    } else if (job->overloaded) {
        job_fail(engine, job, GEN_FAILURE_OVERLOADED, "the engine's queue is full", NULL);
    } else if (job->cancelled) {
        job_done(engine, job, GEN_FINISH_CANCELLED, now);
    } else if (job->scores) {
        job_scored(engine, job);
    } else if (job->accepted_ms == 0) {
        job_accept(engine, job, now);
    } else if (now < job->first_ms) {
        job_read(engine, job, now);
    } else {
        job_speak(engine, job, now);
    }
}

/* The next thing to do: a job that is due, or one from the queue while a slot is free. */
static struct scripted_job *next_due(struct scripted *engine, uint64_t now) {
    struct scripted_job *job = NULL;
    DL_FOREACH (engine->active, job) {
        if (job->due_ms <= now) {
            return job;
        }
    }
    job = engine->queue;
    bool waits = engine->state == ENGINE_READY && engine->running >= engine->facts.slots;
    if (job == NULL || waits) {
        return NULL;
    }
    DL_DELETE(engine->queue, job);
    engine->queued--;
    DL_APPEND(engine->active, job);
    engine->running++;
    return job;
}

static void arm_timer(struct scripted *engine, uint64_t now) {
    uint64_t due = engine->state == ENGINE_LOADING ? engine->ready_ms : UINT64_MAX;
    struct scripted_job *job = NULL;
    DL_FOREACH (engine->active, job) {
        due = job->due_ms < due ? job->due_ms : due;
    }
    if (due == UINT64_MAX) {
        loop_timer_stop(engine->timer);
    } else {
        loop_timer_start(engine->timer, due > now ? due - now : 0, 0);
    }
}

static void engine_free(struct scripted *engine) {
    struct scripted_job *job = NULL, *other = NULL;
    DL_FOREACH_SAFE (engine->active, job, other) {
        job_free(job);
    }
    DL_FOREACH_SAFE (engine->queue, job, other) {
        job_free(job);
    }
    loop_timer_free(engine->timer);
    void (*on_closed)(void *) = engine->on_closed;
    void *context = engine->closed_context;
    free((void *)engine->device.words);
    free(engine);
    on_closed(context);
}

/* Everything happens here, at the end of an iteration of the loop; calls from outside only leave notes. */
static void run_deferred(struct loop_deferred *deferred) {
    struct scripted *engine = (struct scripted *)((char *)deferred - offsetof(struct scripted, deferred));
    uint64_t now = loop_now_ms(engine->loop);
    if (!engine->closing && engine->state == ENGINE_LOADING && now >= engine->ready_ms) {
        engine->state = ENGINE_READY;
        engine->events->on_state(engine->context, ENGINE_READY, &engine->facts, NULL);
    }
    struct scripted_job *job = NULL;
    while (!engine->closing && (job = next_due(engine, now)) != NULL) {
        job_advance(engine, job, now);
    }
    if (!engine->closing) {
        arm_timer(engine, now);
    } else if (!deferred->queued) { /* closed by an event above: the run that is queued now frees */
        engine_free(engine);
    }
}

static void on_timer(void *context) {
    struct scripted *engine = context;
    loop_defer(engine->loop, &engine->deferred);
}

static bool scripted_open(struct engine **out, const struct engine_options *options, const struct engine_events *events,
                          void *context, struct err *err) {
    if (options->slots > LIMIT_PROVIDER_SLOTS) {
        return err_set(err, ERR_INVALID, "an engine has at most %d slots", LIMIT_PROVIDER_SLOTS);
    }
    bool own = options->script != NULL && options->script[0] != '\0';
    if (own && !script_check(options->script, err)) {
        return false;
    }
    struct scripted *engine = MEM_NEW(struct scripted);
    engine->base.ops = &ENGINE_SCRIPTED;
    engine->loop = options->loop;
    engine->events = events;
    engine->context = context;
    engine->facts.slots = options->slots > 0 ? options->slots : SCRIPTED_SLOTS;
    engine->facts.context_length = options->context_length > 0 ? options->context_length : SCRIPTED_CONTEXT;
    engine->device = (struct script_device){.rate = options->script_rate,
                                            .prefill_ms = options->script_prefill_ms,
                                            .words = own ? mem_strdup(options->script) : NULL};
    engine->ready_ms = loop_now_ms(options->loop) + options->script_load_ms;
    engine->state = ENGINE_LOADING;
    engine->timer = loop_timer_new(options->loop, on_timer, engine);
    engine->deferred.run = run_deferred;
    loop_defer(engine->loop, &engine->deferred);
    *out = &engine->base;
    return true;
}

static void enqueue(struct scripted *engine, struct scripted_job *job) {
    job->submitted_ms = loop_now_ms(engine->loop);
    if (engine->queued < SCRIPTED_QUEUE_MAX) {
        DL_APPEND(engine->queue, job);
        engine->queued++;
    } else {
        job->overloaded = true;
        DL_APPEND(engine->active, job);
        engine->running++;
    }
    loop_defer(engine->loop, &engine->deferred);
}

static void scripted_submit(struct engine *base, uint64_t id, const struct gen_request *request) {
    struct scripted *engine = (struct scripted *)base;
    struct scripted_job *job = MEM_NEW(struct scripted_job);
    job->id = id;
    job->bad_script = !script_init(&job->script, request, &engine->device, NULL);
    job->continues = request->continue_text.len > 0;
    job->bad_bias = !script_knows_biases(&job->script);
    script_continue(&job->script, request->continue_text);
    stop_filter_init(&job->filter, request->stop, request->stop_count);
    buf_init(&job->out, SCRIPTED_OUT_MAX);
    buf_init(&job->out_ids, SCRIPTED_IDS_MAX);
    buf_init(&job->logprobs, SCRIPTED_IDS_MAX);
    job->wants_logprobs = request->logprobs;
    job->top_logprobs = request->top_logprobs;
    job->prompt_tokens = script_count_prompt(request);
    job->max_tokens = request->max_tokens;
    job->max_tokens_given = request->max_tokens_given;
    job->chat = request->message_count > 0;
    job->stream = request->stream;
    enqueue(engine, job);
}

static void scripted_score(struct engine *base, uint64_t id, const struct gen_request *request,
                           const struct gen_answer *answer) {
    struct scripted *engine = (struct scripted *)base;
    struct scripted_job *job = MEM_NEW(struct scripted_job);
    job->id = id;
    job->scores = true;
    job->bad_script = !script_score(request, answer, &job->score);
    enqueue(engine, job);
}

static void scripted_cancel(struct engine *base, uint64_t id) {
    struct scripted *engine = (struct scripted *)base;
    struct scripted_job *job = NULL;
    DL_SEARCH_SCALAR(engine->active, job, id, id);
    if (job == NULL) {
        DL_SEARCH_SCALAR(engine->queue, job, id, id);
        if (job == NULL) {
            return;
        }
        /* It need not wait for a slot to end. */
        DL_DELETE(engine->queue, job);
        engine->queued--;
        DL_APPEND(engine->active, job);
        engine->running++;
    }
    job->cancelled = true;
    job->due_ms = 0;
    loop_defer(engine->loop, &engine->deferred);
}

static void scripted_close(struct engine *base, void (*on_closed)(void *context), void *context) {
    struct scripted *engine = (struct scripted *)base;
    engine->closing = true;
    engine->on_closed = on_closed;
    engine->closed_context = context;
    loop_defer(engine->loop, &engine->deferred);
}

const struct engine_ops ENGINE_SCRIPTED = {
    .name = "scripted",
    .needs_file = false,
    .scores = true,
    .grammars = true,
    .samples = true,
    .open = scripted_open,
    .submit = scripted_submit,
    .score = scripted_score,
    .cancel = scripted_cancel,
    .close = scripted_close,
};
