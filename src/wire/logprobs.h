/* Log-probabilities of an answer's tokens, as they go from engines over links to clients (docs/PROTOCOL.md "Parts of a
 * delta"): one behind the other, each token with those that might have come in its place. They are of the model's own
 * distribution at temperature 1, before biases, penalties, a grammar and all that leaves tokens out. */
#ifndef NATARIS_WIRE_LOGPROBS_H
#define NATARIS_WIRE_LOGPROBS_H

#include "base/buf.h"
#include "base/str.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What stands for all that is less likely than a client wants to know. */
#define GEN_LOGPROB_LEAST (-9999.0F)

struct gen_logprob {
    uint32_t id;
    float logprob;    /* natural, finite, 0 or less */
    struct str bytes; /* what the token spells: maybe half a character */
};

struct gen_token_logprobs {
    struct gen_logprob taken, others[LIMIT_LOGPROB_OTHERS]; /* the likeliest first; the taken one among them */
    size_t other_count;
};

/* Check out->overflow. */
void gen_logprobs_append(struct buf *out, const struct gen_token_logprobs *token);
/* Takes the next token off; it borrows. False at the end, and where there is none. */
bool gen_logprobs_next(struct str *logprobs, struct gen_token_logprobs *out);
/* Whether they are those of so many tokens, and nothing else. */
bool gen_logprobs_are_of(struct str logprobs, uint32_t tokens);
/* Bytes of the first tokens. There must be so many. */
size_t gen_logprobs_prefix(struct str logprobs, uint32_t tokens);

#endif
