/* The llama engine: llama.cpp in a child process (src/engine/llama_child). Its crash costs the running jobs, never this
 * process; it is started again with growing pauses. */
#include "engine/engine.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "engine/llama_process.h"
#include "wire/limits.h"
#include "wire/logprobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LLAMA_QUEUE_MAX = 64, /* jobs beyond the slots */
    LLAMA_PAUSE_MIN_MS = 100,
    LLAMA_PAUSE_MAX_MS = 10 * 1000,
    LLAMA_HEALTHY_MS = 60 * 1000,
    LLAMA_WHY_MAX = 300,
};

struct refused_job { /* an event that waits for the end of the iteration */
    uint64_t id;
    enum gen_failure failure;
    struct refused_job *next;
};

struct llama_engine {
    struct engine base;
    struct loop *loop;
    const struct engine_events *events;
    void *context;
    struct llama_process_options options; /* its strings are owned */
    struct engine_facts facts;
    enum engine_state state;
    struct llama_process *process; /* NULL between two runs */
    struct loop_timer *restart_timer;
    uint64_t pause_ms, ready_at_ms;
    bool refused_for_good;
    char why[LLAMA_WHY_MAX]; /* the child's own reason for not loading; empty when it gave none */
    uint64_t *jobs;          /* ids of those the child has */
    size_t job_count, job_capacity;
    struct buf ids; /* of the tokens of one delta */
    struct refused_job *refused, **refused_end;
    struct loop_deferred deferred;
    bool closing;
    void (*on_closed)(void *context);
    void *closed_context;
};

static void change_state(struct llama_engine *engine, enum engine_state state, const char *why) {
    engine->state = state;
    if (!engine->closing) {
        engine->events->on_state(engine->context, state, state == ENGINE_READY ? &engine->facts : NULL, why);
    }
}

static size_t find_job(const struct llama_engine *engine, uint64_t id) {
    size_t index = 0;
    while (index < engine->job_count && engine->jobs[index] != id) {
        index++;
    }
    return index;
}

static void add_job(struct llama_engine *engine, uint64_t id) {
    if (engine->job_count == engine->job_capacity) {
        engine->job_capacity = engine->job_capacity > 0 ? engine->job_capacity * 2 : 16;
        engine->jobs = mem_realloc(engine->jobs, engine->job_capacity * sizeof(*engine->jobs));
    }
    engine->jobs[engine->job_count++] = id;
}

static void remove_job(struct llama_engine *engine, size_t index) {
    engine->jobs[index] = engine->jobs[--engine->job_count];
}

static void handle_ready(struct llama_engine *engine, struct str payload) {
    struct llama_ready ready;
    if (engine->state == ENGINE_READY || !llama_frame_read_ready(payload, &ready)) {
        return;
    }
    engine->facts = (struct engine_facts){
        .slots = ready.slots, .context_length = ready.context_length, .memory_bytes = ready.memory_bytes};
    engine->ready_at_ms = loop_now_ms(engine->loop);
    change_state(engine, ENGINE_READY, NULL);
}

static void handle_refused(struct llama_engine *engine, struct str payload) {
    if (payload.len > 0) {
        engine->refused_for_good = payload.data[0] != 0;
        str_copy(engine->why, sizeof(engine->why), (struct str){payload.data + 1, payload.len - 1});
    }
}

static void handle_failed(struct llama_engine *engine, uint64_t id, struct str payload) {
    enum gen_failure failure;
    struct str param, message;
    char param_text[ERR_FIELD_MAX], message_text[ERR_MESSAGE_MAX];
    if (llama_frame_read_failed(payload, &failure, &param, &message)) {
        str_copy(param_text, sizeof(param_text), param);
        str_copy(message_text, sizeof(message_text), message);
        engine->events->on_failed(engine->context, id, failure, message_text, param.len > 0 ? param_text : NULL);
    } else {
        engine->events->on_failed(engine->context, id, GEN_FAILURE_ENGINE, "the engine process failed", NULL);
    }
}

/* The child has read a stranger's file: what it says is looked at. */
static void handle_logprobs(struct llama_engine *engine, const struct llama_frame *frame) {
    struct gen_token_logprobs token;
    struct str rest = frame->payload;
    while (gen_logprobs_next(&rest, &token)) {
    }
    if (rest.len == 0 && engine->events->on_logprobs != NULL) {
        engine->events->on_logprobs(engine->context, frame->job, frame->payload);
    }
}

static void handle_delta(struct llama_engine *engine, const struct llama_frame *frame) {
    uint32_t tokens = 0;
    struct str ids, text;
    if (!llama_frame_read_delta(frame->payload, &tokens, &ids, &text)) {
        return;
    }
    buf_reset(&engine->ids); /* where they are aligned */
    buf_append_str(&engine->ids, ids);
    engine->events->on_delta(engine->context, frame->job, text, (const uint32_t *)(void *)engine->ids.data, tokens);
}

/* Frames of jobs the child has; what it says about any other is ignored. */
static void handle_job_frame(struct llama_engine *engine, const struct llama_frame *frame) {
    size_t index = find_job(engine, frame->job);
    uint32_t number = 0;
    struct str text;
    struct gen_done done;
    struct gen_score score;
    if (index == engine->job_count) {
        return;
    }
    if (frame->kind == LLAMA_FRAME_FAILED) {
        remove_job(engine, index);
        handle_failed(engine, frame->job, frame->payload);
    } else if (frame->kind == LLAMA_FRAME_DONE && llama_frame_read_done(frame->payload, &done)) {
        remove_job(engine, index);
        engine->events->on_done(engine->context, frame->job, &done);
    } else if (frame->kind == LLAMA_FRAME_SCORED && llama_frame_read_score(frame->payload, &score)) {
        remove_job(engine, index);
        if (engine->events->on_scored != NULL) {
            engine->events->on_scored(engine->context, frame->job, &score);
        }
    } else if (frame->kind == LLAMA_FRAME_ACCEPT && llama_frame_read_u32(frame->payload, &number, &text)) {
        engine->events->on_accept(engine->context, frame->job, number);
    } else if (frame->kind == LLAMA_FRAME_READ && llama_frame_read_u32(frame->payload, &number, &text)) {
        if (engine->events->on_read != NULL) {
            engine->events->on_read(engine->context, frame->job, number);
        }
    } else if (frame->kind == LLAMA_FRAME_LOGPROBS) {
        handle_logprobs(engine, frame);
    } else if (frame->kind == LLAMA_FRAME_DELTA) {
        handle_delta(engine, frame);
    }
}

static void on_frame(void *context, const struct llama_frame *frame) {
    struct llama_engine *engine = context;
    if (frame->kind == LLAMA_FRAME_READY) {
        handle_ready(engine, frame->payload);
    } else if (frame->kind == LLAMA_FRAME_REFUSED) {
        handle_refused(engine, frame->payload);
    } else {
        handle_job_frame(engine, frame);
    }
}

static void fail_all_jobs(struct llama_engine *engine) {
    uint64_t *jobs = engine->jobs;
    size_t count = engine->job_count;
    engine->jobs = NULL;
    engine->job_count = engine->job_capacity = 0;
    for (size_t i = 0; i < count && !engine->closing; i++) {
        engine->events->on_failed(engine->context, jobs[i], GEN_FAILURE_ENGINE, "the engine process ended", NULL);
    }
    free(jobs);
}

static void plan_restart(struct llama_engine *engine) {
    loop_timer_start(engine->restart_timer, engine->pause_ms, 0);
    engine->pause_ms = engine->pause_ms * 2 < LLAMA_PAUSE_MAX_MS ? engine->pause_ms * 2 : LLAMA_PAUSE_MAX_MS;
}

static void on_exit_of_child(void *context, const char *why) {
    struct llama_engine *engine = context;
    engine->process = NULL;
    if (engine->closing) {
        loop_defer(engine->loop, &engine->deferred);
        return;
    }
    bool was_ready = engine->state == ENGINE_READY;
    LOG_WARN_EVENT("engine.child_ended", LOG_TEXT("why", why), LOG_TEXT("reason", engine->why));
    if (was_ready) {
        if (loop_now_ms(engine->loop) - engine->ready_at_ms >= LLAMA_HEALTHY_MS) {
            engine->pause_ms = LLAMA_PAUSE_MIN_MS;
        }
        change_state(engine, ENGINE_LOADING, NULL);
    } else {
        if (engine->why[0] == '\0') {
            snprintf(engine->why, sizeof(engine->why), "the engine process ended while loading the model (%s)", why);
        }
        change_state(engine, ENGINE_FAILED, engine->why);
    }
    fail_all_jobs(engine);
    if (!engine->closing && !engine->refused_for_good) {
        plan_restart(engine);
    }
}

static const struct llama_process_events PROCESS_EVENTS = {.on_frame = on_frame, .on_exit = on_exit_of_child};

static void on_restart(void *context) {
    struct llama_engine *engine = context;
    struct err err = {0};
    engine->why[0] = '\0';
    if (!llama_process_start(&engine->process, engine->loop, &engine->options, &PROCESS_EVENTS, engine, &err)) {
        engine->process = NULL;
        plan_restart(engine);
        change_state(engine, ENGINE_FAILED, err.message);
    }
}

static void engine_free(struct llama_engine *engine) {
    void (*on_closed)(void *) = engine->on_closed;
    void *context = engine->closed_context;
    while (engine->refused != NULL) {
        struct refused_job *next = engine->refused->next;
        free(engine->refused);
        engine->refused = next;
    }
    loop_timer_free(engine->restart_timer);
    free((void *)engine->options.child_path);
    free((void *)engine->options.model_path);
    free(engine->jobs);
    buf_clear(&engine->ids);
    free(engine);
    on_closed(context);
}

static const char *refusal_text(enum gen_failure failure) {
    switch (failure) {
    case GEN_FAILURE_BAD_REQUEST:
        return "the request is too large";
    case GEN_FAILURE_OVERLOADED:
        return "the engine's queue is full";
    case GEN_FAILURE_MODEL_MISSING:
    case GEN_FAILURE_CONTEXT_LENGTH:
    case GEN_FAILURE_ENGINE:
    case GEN_FAILURE_DRAINING:
        break;
    }
    return "the model is not loaded";
}

static void run_deferred(struct loop_deferred *deferred) {
    struct llama_engine *engine = (struct llama_engine *)((char *)deferred - offsetof(struct llama_engine, deferred));
    while (!engine->closing && engine->refused != NULL) {
        struct refused_job job = *engine->refused;
        free(engine->refused);
        engine->refused = job.next;
        if (job.next == NULL) {
            engine->refused_end = &engine->refused;
        }
        engine->events->on_failed(engine->context, job.id, job.failure, refusal_text(job.failure), NULL);
    }
    if (engine->closing && engine->process == NULL && !deferred->queued) {
        engine_free(engine);
    }
}

static bool llama_open(struct engine **out, const struct engine_options *options, const struct engine_events *events,
                       void *context, struct err *err) {
    char child_path[FILE_PATH_MAX];
    if (options->model_path == NULL || options->slots > LIMIT_PROVIDER_SLOTS) {
        return err_set(err, ERR_INVALID, "the llama engine needs a model file and at most %d slots",
                       LIMIT_PROVIDER_SLOTS);
    }
    if (options->child_path != NULL) {
        str_copy(child_path, sizeof(child_path), str_from(options->child_path));
    } else if (!llama_process_find_child(child_path, err)) {
        return false;
    }
    struct llama_engine *engine = MEM_NEW(struct llama_engine);
    engine->base.ops = &ENGINE_LLAMA;
    engine->loop = options->loop;
    engine->events = events;
    engine->context = context;
    engine->options = (struct llama_process_options){.child_path = mem_strdup(child_path),
                                                     .model_path = mem_strdup(options->model_path),
                                                     .slots = options->slots,
                                                     .context_length = options->context_length,
                                                     .threads = options->threads,
                                                     .memory_limit = options->memory_limit};
    buf_init(&engine->ids, LLAMA_FRAME_MAX);
    engine->state = ENGINE_LOADING;
    engine->pause_ms = LLAMA_PAUSE_MIN_MS;
    engine->deferred.run = run_deferred;
    engine->refused_end = &engine->refused;
    engine->restart_timer = loop_timer_new(engine->loop, on_restart, engine);
    if (!llama_process_start(&engine->process, engine->loop, &engine->options, &PROCESS_EVENTS, engine, err)) {
        loop_timer_free(engine->restart_timer);
        free((void *)engine->options.child_path);
        free((void *)engine->options.model_path);
        free(engine);
        return false;
    }
    *out = &engine->base;
    return true;
}

static void refuse_job(struct llama_engine *engine, uint64_t id, enum gen_failure failure) {
    struct refused_job *job = MEM_NEW(struct refused_job);
    job->id = id;
    job->failure = failure;
    *engine->refused_end = job;
    engine->refused_end = &job->next;
    loop_defer(engine->loop, &engine->deferred);
}

/* The frame of a job; `answer`: it is to be scored. Check frame->overflow. */
static void append_job(struct buf *frame, uint64_t id, const struct gen_request *request,
                       const struct gen_answer *answer) {
    struct json_writer writer;
    size_t mark = llama_frame_begin(frame, answer != NULL ? LLAMA_FRAME_SCORE : LLAMA_FRAME_JOB, id);
    json_writer_init(&writer, frame);
    json_begin_object(&writer);
    if (answer != NULL) {
        json_write_key(&writer, "answer");
        json_begin_object(&writer);
        gen_answer_write(answer, &writer);
        json_end_object(&writer);
        json_write_key(&writer, "request");
        json_begin_object(&writer);
    }
    gen_request_write(request, &writer);
    if (answer != NULL) {
        json_end_object(&writer);
    } else {
        json_member_str(&writer, "scope", request->scope);
    }
    json_end_object(&writer);
    llama_frame_end(frame, mark);
}

static void submit(struct llama_engine *engine, uint64_t id, const struct gen_request *request,
                   const struct gen_answer *answer) {
    struct buf frame;
    if (engine->state != ENGINE_READY) {
        refuse_job(engine, id, GEN_FAILURE_MODEL_MISSING);
        return;
    }
    if (engine->job_count >= engine->facts.slots + LLAMA_QUEUE_MAX) {
        refuse_job(engine, id, GEN_FAILURE_OVERLOADED);
        return;
    }
    buf_init(&frame, LLAMA_FRAME_MAX);
    append_job(&frame, id, request, answer);
    if (frame.overflow) {
        buf_clear(&frame);
        refuse_job(engine, id, GEN_FAILURE_BAD_REQUEST);
        return;
    }
    add_job(engine, id);
    llama_process_send(engine->process, &frame);
}

static void llama_submit(struct engine *base, uint64_t id, const struct gen_request *request) {
    submit((struct llama_engine *)base, id, request, NULL);
}

static void llama_score(struct engine *base, uint64_t id, const struct gen_request *request,
                        const struct gen_answer *answer) {
    submit((struct llama_engine *)base, id, request, answer);
}

static void llama_cancel(struct engine *base, uint64_t id) {
    struct llama_engine *engine = (struct llama_engine *)base;
    struct buf frame;
    if (find_job(engine, id) == engine->job_count || engine->process == NULL) {
        return;
    }
    buf_init(&frame, LLAMA_FRAME_MAX);
    llama_frame_append(&frame, LLAMA_FRAME_CANCEL, id, STR(""));
    llama_process_send(engine->process, &frame);
    buf_clear(&frame);
}

static void llama_close(struct engine *base, void (*on_closed)(void *context), void *context) {
    struct llama_engine *engine = (struct llama_engine *)base;
    engine->closing = true;
    engine->on_closed = on_closed;
    engine->closed_context = context;
    loop_timer_stop(engine->restart_timer);
    if (engine->process != NULL) {
        llama_process_close(engine->process);
    }
    loop_defer(engine->loop, &engine->deferred);
}

const struct engine_ops ENGINE_LLAMA = {
    .name = "llama",
    .needs_file = true,
    .scores = true,
    .grammars = true,
    .samples = true,
    .open = llama_open,
    .submit = llama_submit,
    .score = llama_score,
    .cancel = llama_cancel,
    .close = llama_close,
};
