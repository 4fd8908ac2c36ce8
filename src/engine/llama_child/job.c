#include "engine/llama_child/job.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/context_limit.h"
#include "engine/llama_child/sampler.h"
#include "engine/llama_frames.h"

#include <stdlib.h>
#include <string.h>

struct job_maker {
    const struct model *model;
    struct prompter *prompter;
    struct json_parser *parser;
    struct arena arena;
};

struct job_maker *job_maker_new(const struct model *model) {
    struct job_maker *maker = MEM_NEW(struct job_maker);
    maker->model = model;
    maker->prompter = prompter_new(model);
    maker->parser = json_parser_new(LLAMA_FRAME_MAX, LIMIT_JSON_DEPTH);
    arena_init(&maker->arena, 4 * (size_t)LLAMA_FRAME_MAX);
    return maker;
}

static bool refuse(struct job_refusal *refusal, enum gen_failure failure, const struct err *err) {
    refusal->failure = failure;
    str_copy(refusal->param, sizeof(refusal->param), str_from(err->field));
    str_copy(refusal->message, sizeof(refusal->message), str_from(err->message));
    return false;
}

static bool fit(struct job_maker *maker, const struct gen_request *request, struct job *job,
                struct job_refusal *refusal) {
    char message[CONTEXT_LIMIT_MESSAGE_MAX];
    bool chat = request->message_count > 0;
    struct context_use use = {.prompt_tokens = job->prompt.count - job->prompt.continued,
                              .continued_tokens = job->prompt.continued,
                              .continues = request->continue_text.len > 0,
                              .given = request->max_tokens_given,
                              .chat = chat};
    job->max_tokens = request->max_tokens;
    if (context_limit_fit(maker->model->plan.context_length, &use, &job->max_tokens, message)) {
        return true;
    }
    refusal->failure = GEN_FAILURE_CONTEXT_LENGTH;
    str_copy(refusal->param, sizeof(refusal->param), chat ? STR("messages") : STR("prompt"));
    str_copy(refusal->message, sizeof(refusal->message), str_from(message));
    return false;
}

/* The penalties look at the answer's last tokens, also at those that another device made. */
static void show_continued(const struct job *job) {
    const struct prompt *prompt = &job->prompt;
    for (uint32_t i = prompt->count - prompt->continued; job->max_tokens > 0 && i < prompt->count; i++) {
        llama_sampler_accept(job->sampler, prompt->tokens[i]);
    }
}

/* One that cannot be a scope is none, so that nothing is reused. */
static void read_scope(struct json_value root, struct job *job) {
    struct json_value value;
    struct str scope;
    if (!json_get(root, "scope", &value) || !json_as_str(value, &scope) ||
        memchr(scope.data, '\0', scope.len) != NULL || !str_copy(job->scope, sizeof(job->scope), scope)) {
        job->scope[0] = '\0';
    }
}

static bool fill(struct job_maker *maker, struct str payload, struct job *job, struct job_refusal *refusal) {
    struct gen_request request;
    struct json_value root;
    struct err err = {0};
    if (!json_parse(maker->parser, payload, &root, &err) || !gen_request_read(root, &maker->arena, &request, &err) ||
        !prompter_make(maker->prompter, &request, &maker->arena, &job->prompt, &err)) {
        return refuse(refusal, GEN_FAILURE_BAD_REQUEST, &err);
    }
    if (!fit(maker, &request, job, refusal)) {
        return false;
    }
    read_scope(root, job);
    job->stream = request.stream;
    job->seed_given = request.seed_given;
    job->sampler = sampler_new(maker->model->vocab, &request);
    show_continued(job);
    stop_filter_init(&job->filter, request.stop, request.stop_count);
    return true;
}

struct job *job_maker_make(struct job_maker *maker, uint64_t id, struct str payload, struct job_refusal *refusal) {
    struct job *job = MEM_NEW(struct job);
    job->id = id;
    job->received_us = clock_monotonic_us();
    bool made = fill(maker, payload, job, refusal);
    arena_clear(&maker->arena);
    if (!made) {
        job_free(job);
        return NULL;
    }
    return job;
}

uint32_t job_prompt_tokens(const struct job *job) {
    return job->prompt.count - job->prompt.continued;
}

void job_append_accept(const struct job *job, struct buf *frames) {
    uint32_t count = job_prompt_tokens(job);
    llama_frame_append(frames, LLAMA_FRAME_ACCEPT, job->id, (struct str){(const char *)&count, sizeof(count)});
}

void job_free(struct job *job) {
    free(job->prompt.tokens);
    if (job->sampler != NULL) {
        llama_sampler_free(job->sampler);
    }
    stop_filter_clear(&job->filter);
    free(job);
}
