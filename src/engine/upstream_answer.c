#include "engine/upstream_answer.h"

enum { OUT_MAX = 2 * 1024 * 1024 };

void upstream_answer_init(struct upstream_answer *answer, const struct gen_request *request, bool cache_apart) {
    *answer = (struct upstream_answer){.max_tokens = request->max_tokens,
                                       .prompt_bytes = request->prompt.len,
                                       .cache_apart = cache_apart,
                                       .continued_bytes = request->continue_text.len};
    stop_filter_init(&answer->filter, request->stop, request->stop_count);
    buf_init(&answer->out, OUT_MAX);
    for (size_t i = 0; i < request->message_count; i++) {
        answer->prompt_bytes += request->messages[i].content.len;
    }
}

void upstream_answer_clear(struct upstream_answer *answer) {
    stop_filter_clear(&answer->filter);
    buf_clear(&answer->out);
}

static void end(struct upstream_answer *answer, enum gen_finish finish) {
    answer->ended = true;
    answer->finish = finish;
}

static void mark_ready(struct upstream_answer *answer) {
    answer->ready_bytes = answer->out.len;
    answer->ready_tokens = answer->out_tokens;
}

static void feed(struct upstream_answer *answer, struct str text) {
    if (!answer->ended && text.len > 0 && stop_filter_feed(&answer->filter, text, &answer->out)) {
        end(answer, GEN_FINISH_STOP);
    }
}

/* Thoughts that the upstream has taken out of the text are put back as the model wrote them, so that they are the same
 * text on every device. */
static void feed_all(struct upstream_answer *answer, const struct upstream_chunk *chunk) {
    if (chunk->thought.len > 0) {
        feed(answer, answer->thinking ? STR("") : STR("<think>"));
        answer->thinking = true;
        feed(answer, chunk->thought);
    }
    if (chunk->text.len > 0) {
        feed(answer, answer->thinking ? STR("</think>") : STR(""));
        answer->thinking = false;
        feed(answer, chunk->text);
    }
}

/* `total`: of the answer so far. Never more than was asked for. */
static void count(struct upstream_answer *answer, uint32_t total) {
    total = total < answer->max_tokens ? total : answer->max_tokens;
    if (total > answer->counted) {
        answer->out_tokens += total - answer->counted;
        answer->counted = total;
    }
}

static void take_counts(struct upstream_answer *answer, const struct upstream_chunk *chunk) {
    if (chunk->prompt_tokens > 0) {
        answer->prompt_tokens = chunk->prompt_tokens;
        answer->cached_tokens = answer->cache_apart ? chunk->cached_tokens : 0;
    }
    if (chunk->counted) {
        answer->told = true;
        answer->told_tokens = chunk->completion_tokens;
        count(answer, chunk->completion_tokens);
    }
}

static enum gen_finish finish_of(struct str word) {
    return str_equal_cstr(word, "length") || str_equal_cstr(word, "max_tokens") ? GEN_FINISH_LENGTH : GEN_FINISH_STOP;
}

void upstream_answer_take(struct upstream_answer *answer, const struct upstream_chunk *chunk) {
    const bool has_text = chunk->text.len > 0 || chunk->thought.len > 0;
    if (!answer->ended && has_text && answer->counted >= answer->max_tokens && !chunk->counted) {
        end(answer, GEN_FINISH_LENGTH); /* it goes past what was asked for */
    }
    if (answer->ended) {
        take_counts(answer, chunk);
        return;
    }
    take_counts(answer, chunk);
    if (has_text && !chunk->counted) {
        count(answer, answer->counted + 1);
    }
    feed_all(answer, chunk);
    if (!stop_filter_holds(&answer->filter) || answer->out.len >= LIMIT_DELTA_BYTES) {
        mark_ready(answer);
    }
    if (!answer->ended && chunk->finish.len > 0) {
        end(answer, finish_of(chunk->finish));
    }
}

void upstream_answer_finish(struct upstream_answer *answer) {
    stop_filter_finish(&answer->filter, &answer->out);
    mark_ready(answer);
}

struct str upstream_answer_ready(const struct upstream_answer *answer, uint32_t *tokens) {
    *tokens = answer->ready_tokens;
    return (struct str){answer->out.data, answer->ready_bytes};
}

void upstream_answer_taken(struct upstream_answer *answer) {
    buf_consume(&answer->out, answer->ready_bytes);
    answer->out_tokens -= answer->ready_tokens;
    answer->ready_bytes = 0;
    answer->ready_tokens = 0;
}

/* A text that was begun elsewhere is part of the upstream's prompt, but not of ours. Its tokens are not known: it has
 * at most as many as bytes. */
static uint32_t prompt_tokens(const struct upstream_answer *answer) {
    const size_t guessed = answer->prompt_bytes / UPSTREAM_PROMPT_BYTES_PER_TOKEN + 1;
    const size_t told = answer->prompt_tokens;
    const size_t left = told > answer->continued_bytes ? told - answer->continued_bytes : 0;
    if (answer->continued_bytes == 0 && told > 0) {
        return answer->prompt_tokens;
    }
    return (uint32_t)(told > 0 && left > guessed ? left : guessed);
}

struct gen_usage upstream_answer_usage(const struct upstream_answer *answer) {
    const uint32_t prompt = prompt_tokens(answer), counted = answer->counted;
    const bool fewer = answer->told && answer->told_tokens < counted; /* pieces that were no whole tokens */
    return (struct gen_usage){.prompt_tokens = prompt,
                              .completion_tokens = fewer ? answer->told_tokens : counted,
                              .cached_tokens = answer->cached_tokens < prompt ? answer->cached_tokens : prompt};
}
