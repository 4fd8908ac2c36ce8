/* Making texts fit: tokens that a text has, and cutting it to so many, between graphemes. Pure. */
#ifndef NATARIS_WORKFLOW_FIT_H
#define NATARIS_WORKFLOW_FIT_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/str.h"
#include "tokens/rates.h"

#include <stdint.h>

/* What is kept of a text that does not fit. */
enum fit_cut { FIT_BOTH_ENDS, FIT_BEGINNING, FIT_END };

/* A piece of a prompt. */
struct fit_piece {
    struct str text;
    bool system;      /* it belongs to the system message */
    bool own;         /* words of the step: never cut */
    bool ask;         /* the last of them: what is to be done */
    enum fit_cut cut; /* of what is not its own */
    int64_t cap;      /* tokens it may have at most; 0: as many as there is room for */
};

struct fit_prompt {
    struct fit_piece *pieces;
    size_t count, capacity;
};

/* Tokens that a text has by these rates. */
int64_t fit_text_tokens(struct str text, const struct tokens_rates *rates);
/* Tokens of a context that are not for our texts: what a chat template puts around two messages. */
int64_t fit_template_tokens(uint32_t context_length);
/* A model's context; that of a small one where it is not known. */
uint32_t fit_context(uint32_t context_length);
/* Of all pieces, with their caps. */
int64_t fit_tokens(const struct fit_prompt *prompt, const struct tokens_rates *rates);
/* Cuts what is not the step's own so that all have at most `budget` tokens together: each as much as it needs, and
 * those that need more than the others the same share. Where the own words alone are too long, all but the ask go.
 * False: the arena is full. */
MUST_CHECK bool fit_prompt_cut(struct fit_prompt *prompt, int64_t budget, const struct tokens_rates *rates,
                               struct arena *arena);
/* The pieces of one message, one behind the other. data NULL: the arena is full. */
struct str fit_prompt_join(const struct fit_prompt *prompt, bool system, struct arena *arena);

#endif
