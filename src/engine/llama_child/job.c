#include "engine/llama_child/job.h"

#include "base/clock.h"
#include "base/mem.h"
#include "engine/context_limit.h"
#include "engine/llama_child/sampler.h"
#include "engine/llama_frames.h"

#include <stdlib.h>
#include <string.h>

enum { JOB_PIECE_MAX = 512 }; /* of one token's text */

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
static bool show_continued(const struct job *job, struct err *err) {
    const struct prompt *prompt = &job->prompt;
    for (uint32_t i = prompt->count - prompt->continued; job->max_tokens > 0 && i < prompt->count; i++) {
        if (job->constraint == NULL) {
            llama_sampler_accept(job->sampler, prompt->tokens[i]);
        } else if (!constraint_accept(job->constraint, prompt->tokens[i])) {
            return err_set(err, ERR_INVALID, "the text to continue does not keep to the grammar");
        }
    }
    return true;
}

static bool make_sampler(const struct job_maker *maker, const struct gen_request *request, struct job *job,
                         struct err *err) {
    const struct llama_vocab *vocab = maker->model->vocab;
    if (!sampler_check_biases(vocab, request, err)) {
        return false;
    }
    if (request->grammar.len == 0) {
        job->sampler = sampler_new(vocab, request);
    } else {
        job->constraint = constraint_new(vocab, request, err);
    }
    return (job->sampler != NULL || job->constraint != NULL) && show_continued(job, err);
}

bool job_pick(struct job *job, struct llama_context *context, int32_t row, llama_token *out) {
    if (job->constraint != NULL) {
        return constraint_pick(job->constraint, context, row, out);
    }
    *out = llama_sampler_sample(job->sampler, context, row);
    return true;
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

/* --- An answer to score --- */

/* Whether the tokens' text, treated as that of an answer is, is the one that was delivered; of one that was broken off
 * the end may not have come. A token that ends a text stands in none. `stopped`: a stop string has ended it. */
static bool spells(const struct job_maker *maker, const struct gen_answer *answer, struct stop_filter *filter,
                   bool *stopped) {
    const struct llama_vocab *vocab = maker->model->vocab;
    const uint32_t vocabulary = (uint32_t)llama_vocab_n_tokens(vocab);
    char piece[JOB_PIECE_MAX];
    bool good = true;
    struct buf text;
    *stopped = false;
    buf_init(&text, LLAMA_FRAME_MAX);
    for (size_t i = 0; good && i < answer->count; i++) {
        const llama_token token = (llama_token)answer->ids[i];
        good = !*stopped && answer->ids[i] < vocabulary && !llama_vocab_is_eog(vocab, token);
        const int32_t length = good ? llama_token_to_piece(vocab, token, piece, sizeof(piece), 0, false) : 0;
        *stopped = good && stop_filter_feed(filter, (struct str){piece, length > 0 ? (size_t)length : 0}, &text);
    }
    if (!*stopped) {
        stop_filter_finish(filter, &text);
    }
    if (answer->finish == GEN_FINISH_CANCELLED && text.len > answer->text.len) {
        text.len = answer->text.len;
    }
    good = good && !text.overflow && str_equal(buf_str(&text), answer->text);
    buf_clear(&text);
    return good;
}

/* How many of an answer's tokens fit behind the prompt. */
static uint32_t count_scored(const struct job_maker *maker, const struct job *job, const struct gen_answer *answer) {
    const uint64_t left = maker->model->plan.context_length - job->prompt.count;
    return (uint32_t)(answer->count < left ? answer->count : left);
}

static bool fill_answer(struct job_maker *maker, const struct gen_request *request, const struct gen_answer *answer,
                        struct job *job, struct job_refusal *refusal) {
    struct err err = {0};
    if (job->prompt.count >= maker->model->plan.context_length) {
        (void)err_set(&err, ERR_TOO_LARGE, "the prompt does not fit the context");
        return refuse(refusal, GEN_FAILURE_CONTEXT_LENGTH, &err);
    }
    const uint32_t continued = job->prompt.continued;
    const uint32_t scored = count_scored(maker, job, answer);
    bool by_string = false;
    job->answer = (struct job_answer){.ids = mem_alloc((continued + answer->count + 1) * sizeof(*job->answer.ids)),
                                      .scored = scored,
                                      .spells = spells(maker, answer, &job->filter, &by_string)};
    /* With stop strings nobody knows what has ended it: a token that completes one is told only with text before it. */
    job->answer.scored -= by_string && scored == answer->count && scored > 0;
    job->answer.score_end = answer->finish == GEN_FINISH_STOP && request->stop_count == 0 && scored == answer->count;
    memcpy(job->answer.ids, job->prompt.tokens + job->prompt.count - continued, continued * sizeof(*job->answer.ids));
    memcpy(job->answer.ids + continued, answer->ids, answer->count * sizeof(*job->answer.ids));
    score_rule_init(&job->answer.rule, request);
    return true;
}

/* --- Jobs --- */

/* What the frame asks for; `answer` stays without ids when it is to be generated. */
static bool read_frame(struct job_maker *maker, const struct llama_frame *frame, struct job *job,
                       struct gen_request *request, struct gen_answer *answer, struct err *err) {
    struct json_value root, object;
    if (!json_parse(maker->parser, frame->payload, &root, err)) {
        return false;
    }
    if (frame->kind != LLAMA_FRAME_SCORE) {
        read_scope(root, job);
        return gen_request_read(root, &maker->arena, request, err);
    }
    return (json_get(root, "answer", &object) || err_set(err, ERR_INVALID, "the answer is missing")) &&
           gen_answer_read(object, &maker->arena, answer, err) &&
           (json_get(root, "request", &object) || err_set(err, ERR_INVALID, "the request is missing")) &&
           gen_request_read(object, &maker->arena, request, err);
}

static bool fill(struct job_maker *maker, const struct llama_frame *frame, struct job *job,
                 struct job_refusal *refusal) {
    struct gen_request request;
    struct gen_answer answer = {0};
    struct err err = {0};
    if (!read_frame(maker, frame, job, &request, &answer, &err) ||
        !prompter_make(maker->prompter, &request, &maker->arena, &job->prompt, &err)) {
        return refuse(refusal, GEN_FAILURE_BAD_REQUEST, &err);
    }
    if (answer.ids != NULL) {
        stop_filter_init(&job->filter, request.stop, request.stop_count);
        return fill_answer(maker, &request, &answer, job, refusal);
    }
    if (!fit(maker, &request, job, refusal)) {
        return false;
    }
    job->stream = request.stream;
    job->seed_given = request.seed_given;
    job->logprobs = request.logprobs;
    job->top_logprobs = request.top_logprobs;
    if (!make_sampler(maker, &request, job, &err)) {
        return refuse(refusal, GEN_FAILURE_BAD_REQUEST, &err);
    }
    stop_filter_init(&job->filter, request.stop, request.stop_count);
    return true;
}

struct job *job_maker_make(struct job_maker *maker, const struct llama_frame *frame, struct job_refusal *refusal) {
    struct job *job = MEM_NEW(struct job);
    job->id = frame->job;
    job->received_us = clock_monotonic_us();
    bool made = fill(maker, frame, job, refusal);
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
    constraint_free(job->constraint);
    stop_filter_clear(&job->filter);
    free(job->answer.ids);
    free(job);
}
