#include "engine/llama_child/score.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Likelihoods: a tilt by lambda takes probabilities to the power of 1 - lambda. */
#define SCORE_FLATTER 0.2
#define SCORE_FLATTEST 0.4
#define SCORE_SHARPER (-0.5)
/* At temperature 0 engines that differ in the last bits may swap tokens that are about equal. */
#define SCORE_GREEDY_TEMPERATURE 0.2
#define SCORE_GREEDY_OTHER_TEMPERATURE 1.0
#define SCORE_GREEDY_NEAR 1.0
/* As far outside of what could be drawn honest devices were seen to be: by mass, by logit, by rank of top_k. */
#define SCORE_NEAR_MASS 0.03
#define SCORE_NEAR_LOGIT 0.35
enum { SCORE_NEAR_RANKS = 10, SCORE_NEAR_RANKS_OF = 2 /* and one in so many of top_k */ };
/* Tokens farther out: so many of those of an honest device, and of one that takes them from elsewhere. */
#define SCORE_FAR_HONEST 1e-4
#define SCORE_FAR_OTHER 0.02
/* Below these engines take the likeliest token. */
#define SCORE_TEMPERATURE_MIN 1e-5
#define SCORE_TOP_P_MIN 0.01
/* Tokens so much below the likeliest have no mass that a double would show, at temperature 1. */
#define SCORE_DEPTH 40.0

struct score_maker {
    uint32_t vocabulary;
    float *logits; /* as penalties leave them */
    float *heap;   /* logits, and after taking some off, these behind the others in falling order */
    size_t count, taken;
};

void score_rule_init(struct score_rule *rule, const struct gen_request *request) {
    *rule = (struct score_rule){.top_k = request->top_k,
                                .top_p = request->top_p,
                                .min_p = request->min_p,
                                .temperature = request->temperature,
                                .repeat_penalty = request->repeat_penalty,
                                .frequency_penalty = request->frequency_penalty,
                                .presence_penalty = request->presence_penalty};
}

struct score_maker *score_maker_new(uint32_t vocabulary) {
    struct score_maker *maker = MEM_NEW(struct score_maker);
    maker->vocabulary = vocabulary;
    maker->heap = mem_calloc(vocabulary, sizeof(*maker->heap));
    maker->logits = mem_calloc(vocabulary, sizeof(*maker->logits));
    return maker;
}

void score_maker_free(struct score_maker *maker) {
    if (maker != NULL) {
        free(maker->heap);
        free(maker->logits);
        free(maker);
    }
}

/* --- The largest logits first --- */

static void sift_down(float *heap, size_t count, size_t at) {
    const float value = heap[at];
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) {
            break;
        }
        child += child + 1 < count && heap[child + 1] > heap[child];
        if (heap[child] <= value) {
            break;
        }
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = value;
}

/* Fills the heap with all that is not hopelessly below the largest logit, which is returned. What is no number counts
 * as hopeless. */
static float heap_fill(struct score_maker *maker, const float *logits, double depth) {
    float largest = -INFINITY;
    for (uint32_t i = 0; i < maker->vocabulary; i++) {
        largest = logits[i] > largest ? logits[i] : largest;
    }
    const float least = largest - (float)depth;
    maker->count = maker->taken = 0;
    for (uint32_t i = 0; i < maker->vocabulary; i++) {
        if (logits[i] >= least) {
            maker->heap[maker->count++] = logits[i];
        }
    }
    for (size_t i = maker->count / 2; i-- > 0;) {
        sift_down(maker->heap, maker->count, i);
    }
    return largest;
}

/* The largest of those that are left, which stands behind them afterwards. */
static float heap_take(struct score_maker *maker) {
    const size_t left = maker->count - maker->taken;
    const float value = maker->heap[0];
    maker->heap[0] = maker->heap[left - 1];
    maker->heap[left - 1] = value;
    maker->taken++;
    sift_down(maker->heap, left - 1, 0);
    return value;
}

/* --- What could be drawn --- */

struct kept {
    uint32_t vocabulary;
    float largest, smallest; /* logits of the tokens that could be drawn */
    const float *logits;     /* of all of them, in no order; the maker's */
    size_t count;
    double mass; /* of what top_k left, as sums of exp(logit - largest): what top_p counts with */
    bool ranked; /* it was top_k that ended it, not top_p or min_p */
};

static double weight(float logit, float largest) {
    return exp((double)(logit - largest));
}

/* The mass that top_p counts with: of the `most` tokens that top_k leaves, which are taken off when it leaves some
 * out. */
static double mass_of(struct score_maker *maker, size_t most, float largest) {
    double mass = 0;
    while (most < maker->count && maker->taken < most) {
        mass += weight(heap_take(maker), largest);
    }
    for (size_t i = 0; most == maker->count && i < maker->count; i++) {
        mass += weight(maker->heap[i], largest);
    }
    return mass;
}

/* Takes tokens while top_p and min_p let them; the first one is always kept. */
static void keep_some(struct score_maker *maker, const struct score_rule *rule, size_t most, struct kept *kept) {
    const double least = rule->min_p > 0 ? (double)kept->largest + log(rule->min_p) : -INFINITY;
    const double wanted = rule->top_p < 1.0 ? rule->top_p * kept->mass : INFINITY;
    double sum = 0;
    while (kept->count < most && (kept->count == 0 || sum < wanted)) {
        if (kept->count == maker->taken) {
            (void)heap_take(maker);
        }
        const float logit = maker->heap[maker->count - 1 - kept->count];
        if (kept->count > 0 && (double)logit < least) {
            break;
        }
        sum += weight(logit, kept->largest);
        kept->smallest = logit;
        kept->count++;
    }
    kept->logits = maker->heap + maker->count - kept->count;
}

/* top_k and what top_p and min_p leave of it. */
static struct kept keep(struct score_maker *maker, const struct score_rule *rule, const float *logits) {
    const double depth = SCORE_DEPTH * (rule->temperature > 1 ? rule->temperature : 1);
    struct kept kept = {.vocabulary = maker->vocabulary, .largest = heap_fill(maker, logits, depth)};
    const size_t most = rule->top_k > 0 && rule->top_k < maker->count ? rule->top_k : maker->count;
    kept.mass = mass_of(maker, most, kept.largest);
    if (most == maker->count && rule->top_p >= 1.0 && rule->min_p <= 0) {
        kept.logits = maker->heap;
        kept.count = maker->count;
        kept.smallest = kept.largest - (float)depth;
        return kept;
    }
    keep_some(maker, rule, most, &kept);
    kept.ranked = rule->top_k > 0 && kept.count == rule->top_k;
    return kept;
}

/* Outside, but no farther than honest devices were seen to be. Where one token alone could be drawn, it is that of
 * temperature 0, and may be another one as it may be there. */
static bool is_near(const struct score_maker *maker, const struct score_rule *rule, const struct kept *kept,
                    const float *logits, float logit) {
    const float beside = kept->count == 1 ? (float)SCORE_GREEDY_NEAR : (float)SCORE_NEAR_LOGIT;
    if (logit >= kept->smallest - beside) {
        return true;
    }
    size_t rank = 0;
    double above = 0;
    for (uint32_t i = 0; i < maker->vocabulary; i++) {
        if (logits[i] > logit) {
            rank++;
            above += weight(logits[i], kept->largest);
        }
    }
    const bool in_top_k = rule->top_k == 0 || rank < rule->top_k;
    const size_t share = rule->top_k / SCORE_NEAR_RANKS_OF, more = share < SCORE_NEAR_RANKS ? share : SCORE_NEAR_RANKS;
    return (kept->ranked && rank < rule->top_k + more) ||
           (in_top_k && rule->top_p < 1.0 && above <= (rule->top_p + SCORE_NEAR_MASS) * kept->mass);
}

/* --- Ratios --- */

/* Smaller sums are taken for this: their logarithms stay numbers. */
#define SCORE_SUM_MIN 1e-300

static double log_of(double sum) {
    return log(sum > SCORE_SUM_MIN ? sum : SCORE_SUM_MIN);
}

/* log of the sum of exp(scale * (logit - largest)) */
static double log_sum(const float *logits, size_t count, float largest, double scale) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += exp(scale * (double)(logits[i] - largest));
    }
    return log_of(sum);
}

/* The same over those of the tokens that could be drawn. */
static double log_sum_of(const float *logits, const uint32_t *ids, size_t count, const struct kept *kept,
                         double scale) {
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < kept->vocabulary && logits[ids[i]] >= kept->smallest) {
            sum += exp(scale * (double)(logits[ids[i]] - kept->largest));
        }
    }
    return log_of(sum);
}

/* How much likelier a token is when probabilities are taken to the power of 1 - lambda. */
static double tilt(const struct kept *kept, const float *logits, const uint32_t *ids, size_t count, double scale,
                   double lambda) {
    const double tilted = scale * (1 - lambda);
    const double asked =
        log_sum_of(logits, ids, count, kept, scale) - log_sum(kept->logits, kept->count, kept->largest, scale);
    const double other =
        log_sum_of(logits, ids, count, kept, tilted) - log_sum(kept->logits, kept->count, kept->largest, tilted);
    return other - asked;
}

static void add_far(struct gen_score *score, bool far) {
    score->tokens++;
    score->far += far;
    score->ratios[GEN_RATIO_FAR] +=
        far ? log(SCORE_FAR_OTHER / SCORE_FAR_HONEST) : log((1 - SCORE_FAR_OTHER) / (1 - SCORE_FAR_HONEST));
}

/* The likeliest token is all that could be drawn. */
static bool is_greedy(const struct score_rule *rule) {
    return rule->temperature < SCORE_TEMPERATURE_MIN || rule->top_k == 1 || rule->top_p <= SCORE_TOP_P_MIN ||
           rule->min_p >= 1;
}

/* No probabilities come of these: penalties without measure, or a scorer that computes nonsense. Neither says anything
 * of a device. */
static bool are_broken(const struct score_maker *maker, const float *logits) {
    float largest = -INFINITY;
    bool broken = false;
    for (uint32_t i = 0; i < maker->vocabulary; i++) {
        broken = broken || isnan(logits[i]);
        largest = logits[i] > largest ? logits[i] : largest;
    }
    return broken || !isfinite(largest);
}

static void add_near(struct gen_score *score) {
    score->tokens++;
    score->near++;
}

/* The likeliest of the tokens that are known; false: none is. */
static bool likeliest_of(const struct score_maker *maker, const float *logits, const uint32_t *ids, size_t count,
                         float *out) {
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        if (ids[i] < maker->vocabulary && (!found || logits[ids[i]] > *out)) {
            *out = logits[ids[i]];
            found = true;
        }
    }
    return found;
}

/* Temperature 0: as if drawn at a low temperature, against one drawn at a high one. */
static void add_greedy(struct score_maker *maker, const float *logits, const uint32_t *ids, size_t count, float best,
                       struct gen_score *score) {
    struct kept all = {.vocabulary = maker->vocabulary, .smallest = -INFINITY};
    all.largest = heap_fill(maker, logits, SCORE_DEPTH);
    all.logits = maker->heap;
    all.count = maker->count;
    const double scale = 1 / SCORE_GREEDY_TEMPERATURE;
    const double lambda = 1 - SCORE_GREEDY_TEMPERATURE / SCORE_GREEDY_OTHER_TEMPERATURE;
    add_far(score, (double)(all.largest - best) > SCORE_GREEDY_NEAR);
    score->ratios[GEN_RATIO_FLATTER] += tilt(&all, logits, ids, count, scale, lambda);
}

/* As often as a recent token comes again, each once. */
static size_t count_of(const struct score_place *place, size_t at) {
    size_t count = 0;
    for (size_t i = 0; i < place->recent_count; i++) {
        if (place->recent[i] == place->recent[at]) {
            if (i < at) {
                return 0; /* it was its turn before */
            }
            count++;
        }
    }
    return count;
}

/* The logits as llama.cpp's penalties leave them. */
static const float *penalised(struct score_maker *maker, const struct score_rule *rule,
                              const struct score_place *place) {
    const bool off = rule->repeat_penalty == 1.0 && rule->frequency_penalty == 0.0 && rule->presence_penalty == 0.0;
    if (off || place->recent_count == 0) {
        return place->logits;
    }
    memcpy(maker->logits, place->logits, maker->vocabulary * sizeof(*maker->logits));
    for (size_t i = 0; i < place->recent_count; i++) {
        const size_t count = count_of(place, i);
        if (count == 0 || place->recent[i] >= maker->vocabulary) {
            continue;
        }
        float *logit = &maker->logits[place->recent[i]];
        *logit = *logit <= 0 ? *logit * (float)rule->repeat_penalty : *logit / (float)rule->repeat_penalty;
        *logit -= (float)count * (float)rule->frequency_penalty + (float)rule->presence_penalty;
    }
    return maker->logits;
}

void score_add(struct score_maker *maker, const struct score_rule *rule, const struct score_place *place,
               struct gen_score *score) {
    const float *logits = penalised(maker, rule, place);
    const uint32_t *ids = place->ids;
    const size_t count = place->count;
    float best = 0;
    if (are_broken(maker, logits)) {
        add_near(score);
        return;
    }
    if (!likeliest_of(maker, logits, ids, count, &best) || !isfinite(best)) {
        add_far(score, true);
        return;
    }
    if (is_greedy(rule)) {
        add_greedy(maker, logits, ids, count, best, score);
        return;
    }
    const struct kept kept = keep(maker, rule, logits);
    if (best < kept.smallest) {
        if (is_near(maker, rule, &kept, logits, best)) {
            add_near(score);
        } else {
            add_far(score, true);
        }
        return;
    }
    add_far(score, false);
    const double scale = 1 / rule->temperature;
    score->ratios[GEN_RATIO_FLATTER] += tilt(&kept, logits, ids, count, scale, SCORE_FLATTER);
    score->ratios[GEN_RATIO_FLATTEST] += tilt(&kept, logits, ids, count, scale, SCORE_FLATTEST);
    score->ratios[GEN_RATIO_SHARPER] += tilt(&kept, logits, ids, count, scale, SCORE_SHARPER);
}
