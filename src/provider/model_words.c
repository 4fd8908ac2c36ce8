#include "provider/model_words.h"

#include "provider/model_life.h"

static void on_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    const struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING) {
        model->events->on_accept(model->context, job, prompt_tokens);
    }
}

static void on_read(void *context, uint64_t job, uint32_t done_tokens) {
    const struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING && model->events->on_read != NULL) {
        model->events->on_read(model->context, job, done_tokens);
    }
}

static void on_logprobs(void *context, uint64_t job, struct str logprobs) {
    const struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING && model->events->on_logprobs != NULL) {
        model->events->on_logprobs(model->context, job, logprobs);
    }
}

static void on_delta(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens) {
    const struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING) {
        model->events->on_delta(model->context, job, text, ids, tokens);
    }
}

static void count_end(struct hosted_model *model) {
    model->jobs--;
    model->used_ms = loop_now_ms(model->options.engine.loop);
    model_life_watch_use(model);
}

static void on_done(void *context, uint64_t job, const struct gen_done *done) {
    struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING) {
        count_end(model);
        model->events->on_done(model->context, job, done);
    }
}

static void on_scored(void *context, uint64_t job, const struct gen_score *score) {
    struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING) {
        count_end(model);
        if (model->events->on_scored != NULL) {
            model->events->on_scored(model->context, job, score);
        }
    }
}

static void on_failed(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param) {
    struct hosted_model *model = context;
    if (model->state != MODEL_CLOSING) {
        count_end(model);
        model->events->on_failed(model->context, job, failure, message, param);
    }
}

const struct engine_events MODEL_WORDS = {.on_state = model_life_engine_state,
                                          .on_accept = on_accept,
                                          .on_read = on_read,
                                          .on_logprobs = on_logprobs,
                                          .on_delta = on_delta,
                                          .on_done = on_done,
                                          .on_scored = on_scored,
                                          .on_failed = on_failed};
