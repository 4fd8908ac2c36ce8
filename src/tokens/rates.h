/* How many tokens a model makes of a text: its rates, in 1024ths of a token for each unit of tokens/text.h. Pure.
 *
 * Rates are estimates: of usual text a tokenizer's own count is mostly within a fifth of them. What must not be passed
 * asks for rates with a margin (tokens/learned.h), or has the text counted (call/counting.h). */
#ifndef NATARIS_TOKENS_RATES_H
#define NATARIS_TOKENS_RATES_H

#include "tokens/text.h"

enum {
    TOKENS_RATE_ONE = 1024,
    TOKENS_PER_MESSAGE = 8, /* what a chat template puts around a message, about */
};

struct tokens_rates {
    uint32_t of[TOKENS_CLASSES];
};

/* What is thought of a model's vocabulary before anybody has counted with it. */
struct tokens_prior {
    const char *family;   /* part of the ids of its models */
    uint32_t margin;      /* percent of the rates that is surely enough, for usual text */
    uint32_t least, most; /* percent of the rates: what counts can make of them */
    /* The most that its chat templates add: once (the start, a default system prompt, a date, the answer's head), and
     * around each message (its marks and role). */
    uint32_t template_tokens, message_tokens;
    struct tokens_rates rates;
};
/* By the model's id; one that is careful for an id of no known family. */
const struct tokens_prior *tokens_prior_of(struct str model);

/* Of all that was added to `text`. */
int64_t tokens_rates_count(const struct tokens_rates *rates, const struct tokens_text *text);
int64_t tokens_rates_count_str(const struct tokens_rates *rates, struct str text);
/* All of them times `percent` / 100; they stay below a million tokens for each unit. */
void tokens_rates_scale(struct tokens_rates *rates, uint64_t percent);
/* Length in bytes of the longest beginning of `text` that has at most so many tokens; between characters. */
size_t tokens_rates_first(const struct tokens_rates *rates, struct str text, int64_t tokens);
/* Where the longest end of `text` begins that has at most so many; between pieces (tokens/text.h). */
size_t tokens_rates_last(const struct tokens_rates *rates, struct str text, int64_t tokens);

#endif
