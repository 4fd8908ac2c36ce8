/* What counts have taught about the rates of models, script by script. Pure but for its memory, which is bounded.
 *
 * Where the gateway has a model's file, its own count is believed and nothing else is asked for. Elsewhere devices tell
 * how many tokens their prompts had, and a device may lie: to be paid more, or to make conversations forget. Therefore
 *  - a count moves a rate only within the bounds of the model's family (struct tokens_prior),
 *  - an account has one voice for each model and script, however many devices it has, and its voice moves by at most a
 *    half of what it now says, later by an eighth,
 *  - the rate is the median of the voices, and of the family's rate where their number is even: one voice among two is
 *    outvoted, one among three counts for nothing.
 * Nothing of it is kept: after a restart the first prompts teach it again, and a lie does not outlive the process. */
#ifndef NATARIS_TOKENS_LEARNED_H
#define NATARIS_TOKENS_LEARNED_H

#include "tokens/rates.h"

enum {
    TOKENS_MODELS_MAX = 256, /* that are remembered; others keep the rates of their families */
    TOKENS_VOICES_MAX = 7,   /* for each script; a further one takes the place of the one that was silent longest */
};

enum tokens_need {
    TOKENS_LIKELY, /* right on average */
    TOKENS_MOST,   /* enough for usual text, by a margin that shrinks with what was learned */
    TOKENS_BOUND,  /* enough for any text that is known, odd ones too: what a device may count at most */
};
enum { TOKENS_NEEDS = TOKENS_BOUND + 1 };

struct tokens_learned;
struct tokens_learned *tokens_learned_new(void);
void tokens_learned_free(struct tokens_learned *learned); /* NULL is fine */

struct tokens_rates tokens_learned_rates(const struct tokens_learned *learned, struct str model, enum tokens_need need);
/* Somebody counted a text. `who` is the account of the device that did; empty: we did. */
struct tokens_taught {
    struct str model, who;
    const struct tokens_text *text;
    uint32_t messages; /* in which it came, through a chat template; 0: as it is */
    uint32_t tokens;
};
void tokens_learned_take(struct tokens_learned *learned, const struct tokens_taught *taught);

#endif
