#include "tokens/rates.h"

#include "base/compiler.h"
#include "base/utf8.h"

enum { RATE_MOST = 1000 * 1000 * TOKENS_RATE_ONE };

/* In the order of enum tokens_class. */
#define RATES(...)                                                                                                     \
    {                                                                                                                  \
        .of = { __VA_ARGS__ }                                                                                          \
    }

/* What the templates add is 3 tokens with the built-in model, 25 with SmolLM2 and 24 with Qwen2.5, and 5 to 7 for each
 * message.
 *
 * Measured with the vocabularies themselves on the texts of tests/unit/tokens/sample_texts.h; those of llama-3, phi-3
 * and llama-2, whose files nobody had at hand, follow from their size and kind, with wider bounds. */
static const struct tokens_prior priors[] = {
    {"nataris-demo", 110, 80, 125, 8, 8,
     RATES(1452, 1251, 3348, 993, 1020, 1336, 3682, 2209, 2237, 2236, 2240, 3320, 3226, 3087, 3143, 3069, 3049, 3383,
           3842)},
    {"smollm", 112, 70, 140, 32, 8,
     RATES(752, 779, 2977, 803, 1229, 654, 1912, 984, 1022, 1160, 1309, 1541, 2113, 1939, 2433, 2063, 1675, 2878,
           2832)},
    {"qwen", 112, 70, 140, 32, 8,
     RATES(873, 668, 623, 686, 1249, 481, 1526, 471, 1039, 473, 460, 1278, 1288, 572, 1330, 705, 762, 1064, 1255)},
    {"llama-3", 125, 60, 170, 40, 8,
     RATES(870, 650, 800, 650, 600, 480, 1500, 480, 700, 560, 900, 800, 1500, 700, 1900, 900, 900, 1000, 1300)},
    {"phi-3", 125, 60, 170, 8, 8,
     RATES(1000, 800, 900, 800, 1024, 700, 1800, 560, 1024, 1024, 1024, 1230, 2300, 1230, 3072, 1740, 1230, 2400,
           3800)},
    {"llama-2", 125, 60, 170, 8, 12,
     RATES(1000, 800, 900, 800, 1024, 700, 1800, 560, 1024, 1024, 1024, 1230, 2300, 1230, 3072, 1740, 1230, 2400,
           3800)},
};

/* A vocabulary of the size of SmolLM2's is on the safe side of most. */
static const struct tokens_prior other = {
    "",
    130,
    30,
    200,
    40,
    12,
    RATES(850, 780, 2500, 803, 1229, 700, 1912, 984, 1022, 1160, 1309, 1541, 2300, 1939, 2600, 2063, 1675, 2878, 2832)};

static bool has_part(struct str text, struct str part) {
    for (size_t at = 0; at + part.len <= text.len; at++) {
        if (str_equal_nocase((struct str){text.data + at, part.len}, part)) {
            return true;
        }
    }
    return false;
}

const struct tokens_prior *tokens_prior_of(struct str model) {
    for (size_t i = 0; i < COUNT_OF(priors); i++) {
        if (has_part(model, str_from(priors[i].family))) {
            return &priors[i];
        }
    }
    return &other;
}

static uint64_t cost_of(const struct tokens_rates *rates, const struct tokens_text *text) {
    uint64_t cost = 0;
    for (size_t i = 0; i < TOKENS_CLASSES; i++) {
        cost += (uint64_t)rates->of[i] * text->units[i];
    }
    return cost;
}

int64_t tokens_rates_count(const struct tokens_rates *rates, const struct tokens_text *text) {
    return (int64_t)((cost_of(rates, text) + TOKENS_RATE_ONE - 1) / TOKENS_RATE_ONE);
}

int64_t tokens_rates_count_str(const struct tokens_rates *rates, struct str text) {
    struct tokens_text sum = {0};
    tokens_text_add(&sum, text);
    return tokens_rates_count(rates, &sum);
}

void tokens_rates_scale(struct tokens_rates *rates, uint64_t percent) {
    for (size_t i = 0; i < TOKENS_CLASSES; i++) {
        const uint64_t rate = rates->of[i] * percent / 100;
        rates->of[i] = rate < RATE_MOST ? (uint32_t)rate : RATE_MOST;
    }
}

static uint64_t piece_cost(const struct tokens_rates *rates, struct str text, size_t *bytes) {
    struct tokens_text sum = {0};
    *bytes = tokens_text_add_piece(&sum, text);
    return cost_of(rates, &sum);
}

/* Of a piece that is too long as a whole: as much of its beginning as its share of `left`, if that is not more by
 * itself. */
static size_t part_of(const struct tokens_rates *rates, struct str piece, uint64_t left, uint64_t cost) {
    size_t bytes = 0;
    piece.len = utf8_whole_prefix(piece.data, (size_t)(piece.len * left / cost));
    return piece_cost(rates, piece, &bytes) <= left ? piece.len : 0;
}

size_t tokens_rates_first(const struct tokens_rates *rates, struct str text, int64_t tokens) {
    uint64_t left = tokens > 0 ? (uint64_t)tokens * TOKENS_RATE_ONE : 0;
    size_t at = 0, bytes = 0;
    for (; at < text.len; at += bytes) {
        const uint64_t cost = piece_cost(rates, (struct str){text.data + at, text.len - at}, &bytes);
        if (cost > left) {
            return at + part_of(rates, (struct str){text.data + at, bytes}, left, cost);
        }
        left -= cost;
    }
    return text.len;
}

size_t tokens_rates_last(const struct tokens_rates *rates, struct str text, int64_t tokens) {
    struct tokens_text sum = {0};
    tokens_text_add(&sum, text);
    const uint64_t kept = tokens > 0 ? (uint64_t)tokens * TOKENS_RATE_ONE : 0;
    uint64_t rest = cost_of(rates, &sum);
    size_t at = 0, bytes = 0;
    while (at < text.len && rest > kept) {
        rest -= piece_cost(rates, (struct str){text.data + at, text.len - at}, &bytes);
        at += bytes;
    }
    return at;
}
