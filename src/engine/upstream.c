/* The upstream engine: another server has the model, and speaks OpenAI's API. Jobs become its requests, its streams
 * become deltas (docs/UPSTREAM.md).
 *
 * Calls and libcurl's callbacks leave notes in the jobs' states; what ends a job is told in run_deferred, when the
 * iteration ends. Text is told as it comes. */
#include "engine/engine.h"

#include "base/log.h"
#include "base/mem.h"
#include "engine/upstream_job.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <utlist.h>

enum {
    UPSTREAM_SLOTS = 4, /* of a server that does not say how many jobs it does at once */
    UPSTREAM_QUEUE_MAX = 1024,
    UPSTREAM_ENDING_MAX = 64, /* transfers whose answer is whole and that have not ended */
    UPSTREAM_GATHER_MS = 200, /* between the deltas of a job that is not streamed */
    UPSTREAM_GATHER_BYTES = 32 * 1024,
};

struct upstream {
    struct engine base;
    struct loop *loop;
    const struct engine_events *events;
    void *context;
    char *url, *key, *ca_file, *model; /* owned */
    uint32_t slots_asked, context_asked;
    struct upstream_address address;
    struct http_client *client;
    struct upstream_watch *watch;
    struct upstream_server server; /* while READY */
    struct engine_facts facts;
    enum engine_state state;
    bool no_sampling, no_options; /* see struct upstream_ask */
    struct json_parser *json;     /* of all streams, one event at a time */
    struct loop_deferred deferred;
    struct loop_timer *closed; /* the loop has turned once more: nothing of the client is left */
    /* queue: waits for a slot. active: has one, or is to end. ending: told, but its transfer goes on for a moment. */
    struct upstream_job *queue, *active, *ending;
    uint32_t queued, running, ending_count; /* running: jobs in `active` that have a slot */
    bool closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* --- Deltas --- */

static void tell_read(struct upstream *engine, struct upstream_job *job) {
    const uint32_t read = job->read_tokens;
    job->read_tokens = 0;
    if (read > job->told_read && job->first_ms == 0 && engine->events->on_read != NULL) {
        job->told_read = read;
        engine->events->on_read(engine->context, job->id, read);
    }
}

static void flush(struct upstream *engine, struct upstream_job *job, bool last) {
    uint32_t tokens;
    const struct str text = upstream_answer_ready(&job->answer, &tokens);
    const uint64_t now = loop_now_ms(engine->loop);
    const bool due =
        last || job->request.stream || now - job->sent_ms >= UPSTREAM_GATHER_MS || text.len >= UPSTREAM_GATHER_BYTES;
    if (!due || (text.len == 0 && (tokens == 0 || !last))) {
        return;
    }
    job->first_ms = job->first_ms == 0 ? now : job->first_ms;
    job->sent_ms = now;
    engine->events->on_delta(engine->context, job->id, text, NULL, tokens);
    upstream_answer_taken(&job->answer);
}

static void on_news(void *context, struct upstream_job *job) {
    struct upstream *engine = context;
    if (engine->closing) {
        return;
    }
    if (job->state == UPSTREAM_JOB_RUNNING) {
        tell_read(engine, job);
        flush(engine, job, false);
    } else {
        loop_defer(engine->loop, &engine->deferred);
    }
}

/* --- The end of a job --- */

static void leave(struct upstream *engine, struct upstream_job *job) {
    DL_DELETE(engine->active, job);
    engine->running -= job->has_slot ? 1 : 0;
    job->has_slot = false;
}

static void job_done(struct upstream *engine, struct upstream_job *job, enum gen_finish finish) {
    const uint64_t now = loop_now_ms(engine->loop), id = job->id;
    const uint64_t started = job->started_ms > 0 ? job->started_ms : now;
    const uint64_t first = job->first_ms > 0 ? job->first_ms : now;
    struct gen_done done = {.finish = finish,
                            .timings = {.queue_ms = (uint32_t)(started - job->submitted_ms),
                                        .prefill_ms = (uint32_t)(first - started),
                                        .decode_ms = (uint32_t)(now - first)}};
    if (job->accepted) {
        done.usage = upstream_answer_usage(&job->answer);
    }
    leave(engine, job);
    if (job->transfer != NULL && job->complete && engine->ending_count < UPSTREAM_ENDING_MAX) {
        DL_APPEND(engine->ending, job);
        engine->ending_count++;
    } else {
        upstream_job_release(job, engine->loop);
    }
    engine->events->on_done(engine->context, id, &done);
}

static void job_failed(struct upstream *engine, struct upstream_job *job) {
    const struct upstream_fault fault = job->fault;
    const uint64_t id = job->id;
    const char *param = fault.failure != GEN_FAILURE_CONTEXT_LENGTH ? NULL : job->chat ? "messages" : "prompt";
    leave(engine, job);
    upstream_job_release(job, engine->loop);
    if (fault.away) {
        upstream_watch_look(engine->watch);
    }
    engine->events->on_failed(engine->context, id, fault.failure, fault.message, param);
}

/* --- The beginning --- */

static void job_start(struct upstream *engine, struct upstream_job *job) {
    const struct upstream_ask ask = {.request = &job->request,
                                     .model = str_from(engine->model),
                                     .server = &engine->server,
                                     .no_sampling = engine->no_sampling,
                                     .no_options = engine->no_options,
                                     .no_maximum = job->no_maximum};
    const bool apart = engine->server.kind == UPSTREAM_VLLM && job->request.scope.len > 0;
    if (engine->state != ENGINE_READY) {
        upstream_job_fail(job, GEN_FAILURE_MODEL_MISSING, "the upstream is not there, or has not the model");
    } else if (!upstream_body_is_possible(&job->request, &engine->server)) {
        upstream_job_fail(job, GEN_FAILURE_OVERLOADED, "the upstream cannot do this job; other devices can");
    } else if (!upstream_job_start(job, engine->client, &engine->address, &ask, apart)) {
        upstream_job_fail(job, GEN_FAILURE_BAD_REQUEST, "the request is too long");
    }
}

static void job_accept(struct upstream *engine, struct upstream_job *job) {
    const uint64_t now = loop_now_ms(engine->loop);
    job_start(engine, job);
    if (job->state == UPSTREAM_JOB_RUNNING) {
        job->accepted = true;
        job->started_ms = now;
        job->sent_ms = now;
        engine->events->on_accept(engine->context, job->id, 0);
    }
}

static void learn_refusal(struct upstream *engine, const struct upstream_job *job) {
    if (job->fault.about_sampling && !engine->no_sampling) {
        LOG_WARN_EVENT("upstream.no_sampling", LOG_TEXT("model", engine->model),
                       LOG_TEXT("reason", "it refuses top_k, min_p or repeat_penalty: they are left out"));
    }
    engine->no_sampling = engine->no_sampling || job->fault.about_sampling;
    engine->no_options = engine->no_options || job->fault.about_options;
}

/* --- The iteration's end --- */

/* Gives one of those that wait a slot, if there is one. */
static bool admit(struct upstream *engine) {
    struct upstream_job *job = engine->queue;
    if (job == NULL || (engine->state == ENGINE_READY && engine->running >= engine->facts.slots)) {
        return false;
    }
    DL_DELETE(engine->queue, job);
    engine->queued--;
    DL_APPEND(engine->active, job);
    engine->running++;
    job->has_slot = true;
    return true;
}

static struct upstream_job *next_due(struct upstream *engine) {
    struct upstream_job *job = NULL;
    do {
        DL_FOREACH (engine->active, job) {
            if (job->state != UPSTREAM_JOB_RUNNING) {
                return job;
            }
        }
    } while (admit(engine));
    return NULL;
}

static void job_advance(struct upstream *engine, struct upstream_job *job) {
    switch (job->state) {
    case UPSTREAM_JOB_QUEUED:
        job_accept(engine, job);
        return;
    case UPSTREAM_JOB_RUNNING:
        return;
    case UPSTREAM_JOB_AGAIN:
        learn_refusal(engine, job);
        job_start(engine, job);
        return;
    case UPSTREAM_JOB_CANCELLED:
        job_done(engine, job, GEN_FINISH_CANCELLED);
        return;
    case UPSTREAM_JOB_FAILED:
        job_failed(engine, job);
        return;
    case UPSTREAM_JOB_DONE:
        flush(engine, job, true);
        if (!engine->closing && job->state == UPSTREAM_JOB_DONE) {
            job_done(engine, job, job->answer.finish);
        }
        return;
    }
}

static void drop_ended(struct upstream *engine) {
    struct upstream_job *job = NULL, *other = NULL;
    DL_FOREACH_SAFE (engine->ending, job, other) {
        if (job->transfer == NULL) {
            DL_DELETE(engine->ending, job);
            engine->ending_count--;
            upstream_job_release(job, engine->loop);
        }
    }
}

static void free_jobs(struct upstream_job **list) {
    struct upstream_job *job = NULL, *other = NULL;
    DL_FOREACH_SAFE (*list, job, other) {
        DL_DELETE(*list, job);
        upstream_job_free(job);
    }
}

static void engine_free(struct upstream *engine) {
    free_jobs(&engine->queue);
    free_jobs(&engine->active);
    free_jobs(&engine->ending);
    json_parser_free(engine->json);
    loop_timer_free(engine->closed);
    free(engine->url);
    free(engine->key);
    free(engine->ca_file);
    free(engine->model);
    free(engine);
}

static void on_all_closed(void *context) {
    struct upstream *engine = context;
    void (*on_closed)(void *) = engine->on_closed;
    void *closed_context = engine->closed_context;
    engine_free(engine);
    on_closed(closed_context);
}

static void run_deferred(struct loop_deferred *deferred) {
    struct upstream *engine = (struct upstream *)((char *)deferred - offsetof(struct upstream, deferred));
    struct upstream_job *job = NULL;
    while (!engine->closing && (job = next_due(engine)) != NULL) {
        job_advance(engine, job);
    }
    if (!engine->closing) {
        drop_ended(engine);
    } else if (engine->client != NULL) {
        upstream_watch_free(engine->watch);
        http_client_free(engine->client); /* it cancels what is under way */
        engine->watch = NULL;
        engine->client = NULL;
        loop_timer_start(engine->closed, 0, 0);
    }
}

/* --- The upstream --- */

static void move(struct upstream *engine, enum engine_state state, const char *why) {
    const bool changed = state != engine->state;
    engine->state = state;
    loop_defer(engine->loop, &engine->deferred); /* those that wait begin, or fail */
    if (changed && !engine->closing) {
        engine->events->on_state(engine->context, state, &engine->facts, why);
    }
}

static uint32_t lesser(uint32_t asked, uint32_t known) {
    return asked == 0 || (known > 0 && known < asked) ? known : asked;
}

static void on_change(void *context, enum upstream_state state, const struct upstream_server *server, const char *why) {
    struct upstream *engine = context;
    switch (state) {
    case UPSTREAM_AWAY:
        move(engine, ENGINE_LOADING, NULL);
        return;
    case UPSTREAM_REFUSES:
        move(engine, ENGINE_FAILED, why);
        return;
    case UPSTREAM_THERE:
        break;
    }
    engine->server = *server;
    engine->facts = (struct engine_facts){
        .slots = engine->slots_asked > 0 ? engine->slots_asked
                 : server->slots > 0     ? server->slots
                                         : UPSTREAM_SLOTS,
        .context_length = lesser(engine->context_asked, server->context_length),
        .grammars = upstream_server_keeps_grammars(server),
    };
    engine->no_sampling = engine->no_options = false; /* it may be another one by now */
    move(engine, ENGINE_READY, NULL);
}

/* --- Calls --- */

static char *copy(const char *text) {
    return text != NULL ? mem_strdup(text) : NULL;
}

static bool upstream_open(struct engine **out, const struct engine_options *options, const struct engine_events *events,
                          void *context, struct err *err) {
    if (options->upstream_url == NULL) {
        return err_set(err, ERR_INVALID, "the engine upstream needs the URL of a server");
    }
    if (options->slots > LIMIT_PROVIDER_SLOTS) {
        return err_set(err, ERR_INVALID, "an engine has at most %d slots", LIMIT_PROVIDER_SLOTS);
    }
    struct upstream *engine = MEM_NEW(struct upstream);
    engine->base.ops = &ENGINE_UPSTREAM;
    engine->loop = options->loop;
    engine->events = events;
    engine->context = context;
    engine->url = copy(options->upstream_url);
    engine->key = copy(options->upstream_key);
    engine->ca_file = copy(options->ca_file);
    engine->model = copy(options->upstream_model != NULL ? options->upstream_model : options->model_id);
    engine->slots_asked = options->slots;
    engine->context_asked = options->context_length;
    engine->state = ENGINE_LOADING;
    engine->deferred.run = run_deferred;
    engine->json = json_parser_new(UPSTREAM_EVENT_MAX, LIMIT_JSON_DEPTH);
    if (!upstream_address_init(&engine->address, engine->url, engine->key, engine->ca_file, err) ||
        !http_client_new(&engine->client, options->loop, NULL, err)) {
        engine_free(engine);
        return false;
    }
    engine->closed = loop_timer_new(options->loop, on_all_closed, engine);
    const struct upstream_watch_options watch = {.loop = options->loop,
                                                 .client = engine->client,
                                                 .address = &engine->address,
                                                 .model = engine->model,
                                                 .on_change = on_change,
                                                 .context = engine};
    engine->watch = upstream_watch_new(&watch);
    *out = &engine->base;
    return true;
}

static void enqueue(struct upstream *engine, struct upstream_job *job) {
    job->submitted_ms = loop_now_ms(engine->loop);
    if (job->state == UPSTREAM_JOB_QUEUED && engine->queued < UPSTREAM_QUEUE_MAX) {
        DL_APPEND(engine->queue, job);
        engine->queued++;
    } else {
        if (job->state == UPSTREAM_JOB_QUEUED) {
            upstream_job_fail(job, GEN_FAILURE_OVERLOADED, "the engine's queue is full");
        }
        DL_APPEND(engine->active, job);
    }
    loop_defer(engine->loop, &engine->deferred);
}

static void upstream_submit(struct engine *base, uint64_t id, const struct gen_request *request) {
    static const struct upstream_job_events EVENTS = {.on_news = on_news};
    struct upstream *engine = (struct upstream *)base;
    enqueue(engine, upstream_job_new(id, request, engine->json, &EVENTS, engine));
}

/* Nobody sends such jobs here: an upstream does not say how likely a text is. */
static void upstream_score(struct engine *base, uint64_t id, const struct gen_request *request,
                           const struct gen_answer *answer) {
    static const struct upstream_job_events EVENTS = {.on_news = on_news};
    struct upstream *engine = (struct upstream *)base;
    struct upstream_job *job = upstream_job_new(id, request, engine->json, &EVENTS, engine);
    (void)answer;
    upstream_job_fail(job, GEN_FAILURE_BAD_REQUEST, "an upstream scores no answers");
    enqueue(engine, job);
}

static void upstream_cancel(struct engine *base, uint64_t id) {
    struct upstream *engine = (struct upstream *)base;
    struct upstream_job *job = NULL;
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
    }
    upstream_job_stop(job);
    job->state = UPSTREAM_JOB_CANCELLED;
    loop_defer(engine->loop, &engine->deferred);
}

static void upstream_close(struct engine *base, void (*on_closed)(void *context), void *context) {
    struct upstream *engine = (struct upstream *)base;
    engine->closing = true;
    engine->on_closed = on_closed;
    engine->closed_context = context;
    loop_defer(engine->loop, &engine->deferred);
}

const struct engine_ops ENGINE_UPSTREAM = {
    .name = "upstream",
    .open = upstream_open,
    .submit = upstream_submit,
    .score = upstream_score,
    .cancel = upstream_cancel,
    .close = upstream_close,
};
