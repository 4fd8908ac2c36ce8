/* What attempts say about their device: how fast it is, how reliable, how honest. docs/PLACEMENT.md has the thresholds
 * and why an honest device does not trip them. */
#include "core/core_internal.h"
#include "core/prefill.h"

#include <string.h>

enum {
    RECORD_ONE = 1000,
    RECORD_SUCCESS_SPAN = 16,         /* attempts over which success is smoothed */
    RECORD_UPTIME_SPAN_MS = 86400000, /* time over which uptime is smoothed: a day */
    RECORD_SPEED_SPAN = 4,            /* attempts over which a device's speeds are smoothed ... */
    RECORD_AVERAGE_SPAN = 64,         /* ... and those of all devices, and of a model's answers */
    RECORD_PREFILL_TOKENS = 16,       /* a shorter prompt measures the way there and back */
    RECORD_DECODE_TOKENS = 8,
    RECORD_FACTOR_MOST = 1000 * 1000,
    REVIEW_FAST_TOKENS = 256, /* less may sit in one buffer on the way */
    REVIEW_FAST_TIMES = 8,
    REVIEW_FAST_PER_S = 5000,
    REVIEW_MANY_SLACK = 128, /* special tokens, and text that a stop string or a tool call kept back */
    REVIEW_EMPTY_IN_A_ROW = 3,
    REVIEW_LOOP_PIECES = 64,
    REVIEW_PROMPT_TIMES = 2,
    REVIEW_PROMPT_SLACK = 64,
    REVIEW_TEMPLATE_SLACK = 32, /* a default system prompt that one version of a template has and another has not */
    /* A false refusal weighs as much as four good answers: three in a row, or one in four for long, are too many. */
    REVIEW_REFUSAL_STEP = 4,
    REVIEW_REFUSAL_MOST = 12,
};

static const char *const review_names[] = {
    [CORE_REVIEW_TOO_FAST] = "too_fast", [CORE_REVIEW_TOO_MANY] = "too_many", [CORE_REVIEW_OVER_LIMIT] = "over_limit",
    [CORE_REVIEW_EMPTY] = "empty",       [CORE_REVIEW_LOOPING] = "looping",   [CORE_REVIEW_PROMPT] = "prompt",
    [CORE_REVIEW_CANARY] = "canary",     [CORE_REVIEW_REFUSAL] = "refusal",   [CORE_REVIEW_AUDIT] = "audit",
};

const char *core_review_name(enum core_review review) {
    return review_names[review];
}

bool core_review_is_of_device(enum core_review review) {
    return review == CORE_REVIEW_CANARY || review == CORE_REVIEW_AUDIT;
}

void core_record_init(struct core_record *record) {
    *record = (struct core_record){.success = RECORD_ONE, .uptime = RECORD_ONE};
}

/* Moves a share by `part` of `span` of the way; at least by one, so that it gets there. */
static void record_move(uint32_t *share, uint32_t target, uint64_t part, uint64_t span) {
    uint32_t now = *share < RECORD_ONE ? *share : RECORD_ONE;
    uint32_t distance = target > now ? target - now : now - target;
    uint32_t step = (uint32_t)(distance * part / span);
    step = step == 0 && part > 0 && distance > 0 && span <= RECORD_SUCCESS_SPAN ? 1 : step;
    *share = target > now ? now + step : now - step;
}

void core_record_uptime(struct core_record *record, uint64_t elapsed_ms, bool present) {
    elapsed_ms = elapsed_ms < UINT32_MAX ? elapsed_ms : UINT32_MAX;
    record_move(&record->uptime, present ? RECORD_ONE : 0, elapsed_ms, elapsed_ms + RECORD_UPTIME_SPAN_MS);
}

static void record_set_weight(struct core_provider *provider) {
    float weight = core_place_weight(provider);
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        CORE_OF(link, struct core_offering, provider_link)->weight = weight; /* sorted when the slot is free */
    }
}

static void record_success(struct core_provider *provider, bool success) {
    core_belief_earn(&provider->record, success);
    record_move(&provider->record.success, success ? RECORD_ONE : 0, 1, RECORD_SUCCESS_SPAN);
    record_set_weight(provider);
}

void core_record_review(struct core *core, struct core_provider *provider, enum core_review review,
                        uint64_t generation) {
    provider->record.reviews++;
    provider->escrow |= core_review_is_of_device(review);
    record_success(provider, false);
    struct core_effect *effect = core_effect_add(core, CORE_EFFECT_REVIEW);
    const struct core_generation *about =
        (const struct core_generation *)core_handles_get(&core->generations, generation);
    effect->generation = generation;
    effect->provider = provider->handle;
    effect->user = provider->user;
    effect->review.review = review;
    effect->review.generation_user = about == NULL ? 0 : about->user;
    core_provider_cool_down(core, provider);
}

static void record_object(struct core *core, struct core_attempt *attempt, enum core_review review) {
    if (!attempt->reviewed) {
        attempt->reviewed = true;
        core_record_review(core, attempt->offering->provider, review, attempt->generation_handle);
    }
}

static void record_check_prompt(struct core *core, struct core_attempt *attempt, uint32_t prompt_tokens) {
    uint64_t most = attempt->generation->prompt_tokens_max;
    if (most > 0 && prompt_tokens > most * REVIEW_PROMPT_TIMES + REVIEW_PROMPT_SLACK) {
        record_object(core, attempt, CORE_REVIEW_PROMPT);
    }
}

void core_record_accepted(struct core *core, struct core_attempt *attempt, uint32_t prompt_tokens) {
    if (attempt->accepted_ms == 0) {
        attempt->accepted_ms = core->now_ms + 1; /* 0 is taken */
    }
    attempt->prompt_tokens = prompt_tokens > 0 ? prompt_tokens : attempt->prompt_tokens;
    record_check_prompt(core, attempt, prompt_tokens);
}

/* The same piece of text again? White space alone is an honest way to indent. */
static void record_count_repeats(struct core_attempt *attempt, struct str text) {
    uint64_t piece = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    bool blank = true;
    for (size_t i = 0; i < text.len; i++) {
        piece = (piece ^ (uint8_t)text.data[i]) * UINT64_C(0x100000001b3);
        blank &= text.data[i] == ' ' || text.data[i] == '\n' || text.data[i] == '\t' || text.data[i] == '\r';
    }
    if (text.len == 0) {
        return;
    }
    attempt->piece_repeats = !blank && piece == attempt->last_piece ? attempt->piece_repeats + 1 : 1;
    attempt->last_piece = piece;
}

static void record_check_tokens(struct core *core, struct core_attempt *attempt, uint64_t tokens) {
    if (attempt->max_tokens > 0 && tokens > attempt->max_tokens) {
        record_object(core, attempt, CORE_REVIEW_OVER_LIMIT);
    } else if (tokens > (uint64_t)attempt->bytes + REVIEW_MANY_SLACK) {
        record_object(core, attempt, CORE_REVIEW_TOO_MANY);
    }
}

void core_record_over_limit(struct core *core, struct core_attempt *attempt) {
    record_object(core, attempt, CORE_REVIEW_OVER_LIMIT);
}

/* Templates of two versions of a model may differ by a few lines; an eighth and more than these is no such thing. */
void core_record_overcounted(struct core *core, const struct core_generation *generation, uint32_t prompt_tokens) {
    struct core_part *part = &generation->parts[generation->part_count - 1];
    struct core_provider *provider = (struct core_provider *)core_handles_get(&core->providers, part->provider);
    const uint64_t most = (uint64_t)prompt_tokens + prompt_tokens / 8 + REVIEW_TEMPLATE_SLACK;
    if (provider != NULL && generation->outcome.prompt_tokens > most) {
        core_record_review(core, provider, CORE_REVIEW_PROMPT, generation->handle);
        part->escrow = true; /* what it earned by it waits, as with the other gates */
    }
}

void core_record_refused(struct core *core, uint64_t provider_handle, const struct core_generation *generation) {
    struct core_provider *provider = (struct core_provider *)core_handles_get(&core->providers, provider_handle);
    struct core_offering *offering = provider == NULL ? NULL : core_offering_find(provider, generation->model);
    if (offering == NULL) {
        return; /* it has left since */
    }
    provider->record.generations++;
    provider->record.failures++;
    offering->refusals = (uint8_t)(offering->refusals + REVIEW_REFUSAL_STEP);
    if (offering->refusals >= REVIEW_REFUSAL_MOST) {
        offering->refusals = 0;
        core_record_review(core, provider, CORE_REVIEW_REFUSAL, generation->handle);
    } else {
        record_success(provider, false);
    }
}

static uint32_t add_u32(uint32_t a, uint64_t b) {
    return b < UINT32_MAX - a ? a + (uint32_t)b : UINT32_MAX;
}

void core_record_content(struct core *core, struct core_attempt *attempt, struct str text, uint32_t tokens) {
    if (attempt->first_ms == 0) {
        attempt->first_ms = core->now_ms + 1;
        attempt->first_tokens = tokens;
    }
    attempt->last_ms = core->now_ms + 1;
    attempt->tokens = add_u32(attempt->tokens, tokens);
    attempt->bytes = add_u32(attempt->bytes, text.len);
    attempt->crowd += attempt->offering->provider->active;
    attempt->pieces++;
    record_count_repeats(attempt, text);
    record_check_tokens(core, attempt, attempt->tokens);
    if (attempt->piece_repeats >= REVIEW_LOOP_PIECES && !attempt->generation->steered) {
        record_object(core, attempt, CORE_REVIEW_LOOPING);
    }
}

static void smooth(float *value, double sample, unsigned span) {
    *value = *value > 0 ? *value + ((float)sample - *value) / (float)span : (float)sample;
}

static void smooth_average(double *value, double sample) {
    *value = *value > 0 ? *value + (sample - *value) / RECORD_AVERAGE_SPAN : sample;
}

static void smooth_factor(uint32_t *factor, double per_s, double average) {
    double now = average > 0 ? per_s * RECORD_ONE / average : 0;
    if (now <= 0) {
        return;
    }
    now = *factor > 0 ? *factor + (now - *factor) / RECORD_SPEED_SPAN : now;
    *factor = now < 1 ? 1 : now < RECORD_FACTOR_MOST ? (uint32_t)now : RECORD_FACTOR_MOST;
}

static void record_prefill_speed(struct core_offering *offering, double per_s) {
    smooth(&offering->prefill_per_s, per_s, RECORD_SPEED_SPAN);
    core_belief_measured(offering);
    smooth_factor(&offering->provider->record.prefill_factor, per_s, (double)offering->model->prefill_per_s);
}

/* Times of attempts are kept one too high, which does not show in differences of two of them. */
static void record_prefill(struct core *core, const struct core_attempt *attempt, const struct core_event *done) {
    /* More than the request can hold is only said. */
    uint32_t most = attempt->generation->prompt_tokens_max;
    uint32_t prompt = done->done.prompt_tokens < most ? done->done.prompt_tokens : most;
    uint32_t fresh = prompt > done->done.cached_tokens ? prompt - done->done.cached_tokens : 0;
    if (attempt->cold || attempt->accepted_ms == 0 || attempt->first_ms <= attempt->accepted_ms ||
        fresh < RECORD_PREFILL_TOKENS) {
        return;
    }
    fresh += attempt->generation->part_tokens; /* the text that it went on with is not in its prompt */
    double per_s = fresh * 1000.0 / (double)(attempt->first_ms - attempt->accepted_ms);
    record_prefill_speed(attempt->offering, per_s);
    if (core_belief_teaches(attempt->offering)) {
        double believed = (double)core_belief_prefill(attempt->offering, (float)per_s);
        smooth(&attempt->offering->model->prefill_per_s, believed, RECORD_AVERAGE_SPAN);
        smooth_average(&core->prefill_per_s, believed);
    }
}

void core_record_slow(struct core *core, struct core_attempt *attempt) {
    struct core_offering *offering = attempt->offering;
    double tokens = core_prefill_tokens(attempt);
    double per_s = tokens * 1000.0 / (double)(core->now_ms + 2 - attempt->accepted_ms);
    if (attempt->accepted_ms != 0 && !attempt->self_made && per_s < (double)core_place_prefill_per_s(core, offering)) {
        record_prefill_speed(offering, per_s);
    }
}

void core_record_load(struct core_model *model, uint32_t load_ms) {
    smooth(&model->load_ms, load_ms, RECORD_AVERAGE_SPAN);
}

/* What the whole device decodes: a stream's speed times the generations that shared it. */
static void record_decode(struct core *core, struct core_attempt *attempt) {
    uint32_t tokens = attempt->tokens - attempt->first_tokens;
    struct core_offering *offering = attempt->offering;
    double crowd = attempt->pieces == 0 ? 1.0 : (double)attempt->crowd / attempt->pieces;
    /* Nothing can be made before the generation was sent, however long its text was held up on the way. */
    double since_sent = (double)(core->now_ms - attempt->sent_ms + 1);
    double claimed_per_s = attempt->tokens * 1000.0 / since_sent;
    if (attempt->tokens >= REVIEW_FAST_TOKENS && offering->fastest_per_s > 0 && claimed_per_s > REVIEW_FAST_PER_S &&
        claimed_per_s > (double)offering->fastest_per_s * REVIEW_FAST_TIMES) {
        record_object(core, attempt, CORE_REVIEW_TOO_FAST);
    }
    if (attempt->reviewed || attempt->last_ms <= attempt->first_ms || tokens < RECORD_DECODE_TOKENS) {
        return;
    }
    double per_s = tokens * 1000.0 / (double)(attempt->last_ms - attempt->first_ms) * (crowd < 1.0 ? 1.0 : crowd);
    smooth(&offering->decode_per_s, per_s, RECORD_SPEED_SPAN);
    core_belief_measured(offering);
    if (core_belief_teaches(offering)) {
        double believed = (double)core_belief_decode(offering, (float)per_s);
        smooth(&offering->model->decode_per_s, believed, RECORD_AVERAGE_SPAN);
        smooth_average(&core->decode_per_s, believed);
    }
    smooth_factor(&offering->provider->record.decode_factor, per_s, (double)offering->model->decode_per_s);
    offering->fastest_per_s = (float)per_s > offering->fastest_per_s ? (float)per_s : offering->fastest_per_s;
}

static void record_done(struct core *core, struct core_attempt *attempt, const struct core_event *done) {
    struct core_offering *offering = attempt->offering;
    record_check_prompt(core, attempt, done->done.prompt_tokens);
    record_check_tokens(core, attempt, done->done.completion_tokens);
    /* One empty answer is what a model may give to an odd prompt; the rest of a continued answer is often empty,
     * and so may be one that its client has steered. */
    if (attempt->bytes > 0 || attempt->generation->started || done->done.finish != CORE_FINISH_STOP) {
        offering->empty_answers = 0;
    } else if (!attempt->generation->steered && ++offering->empty_answers >= REVIEW_EMPTY_IN_A_ROW) {
        offering->empty_answers = 0;
        record_object(core, attempt, CORE_REVIEW_EMPTY);
    }
    offering->refusals = offering->refusals > 0 ? (uint8_t)(offering->refusals - 1) : 0;
    record_prefill(core, attempt, done);
    if (core_belief_teaches(offering)) {
        smooth(&offering->model->service_ms, (double)(core->now_ms - attempt->sent_ms + 1), RECORD_AVERAGE_SPAN);
        smooth(&offering->model->completion_tokens,
               core_bill_tokens(&attempt->delivered, done->done.completion_tokens) + 1.0, RECORD_AVERAGE_SPAN);
    }
}

void core_record_ended(struct core *core, struct core_attempt *attempt, enum core_attempt_end end,
                       const struct core_event *done) {
    struct core_provider *provider = attempt->offering->provider;
    if (attempt->self_made) {
        return;
    }
    record_decode(core, attempt);
    switch (end) {
    case CORE_ATTEMPT_END_DONE:
        provider->record.generations++;
        record_done(core, attempt, done);
        if (!attempt->reviewed) {
            record_success(provider, true);
        }
        break;
    case CORE_ATTEMPT_END_FAILED:
    case CORE_ATTEMPT_END_SILENT:
        provider->record.generations++;
        provider->record.failures++;
        record_success(provider, false);
        break;
    case CORE_ATTEMPT_END_NEUTRAL:
        break;
    }
}
