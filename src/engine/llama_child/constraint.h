/* Sampling under a grammar: the request's samplers, among the tokens that the grammar allows next. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_CONSTRAINT_H
#define NATARIS_ENGINE_LLAMA_CHILD_CONSTRAINT_H

#include "base/err.h"
#include "wire/generation.h"

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

struct constraint;

/* NULL: the request's grammar is none, ERR_INVALID. `vocab` is borrowed. */
struct constraint *constraint_new(const struct llama_vocab *vocab, const struct gen_request *request, struct err *err);
void constraint_free(struct constraint *constraint); /* NULL is fine */
/* A token of the answer that was not picked here. False: the grammar does not allow it. */
MUST_CHECK bool constraint_accept(struct constraint *constraint, llama_token token);
/* The next token, from the logits of that row of the last batch. It is accepted. False: there is none. */
MUST_CHECK bool constraint_pick(struct constraint *constraint, struct llama_context *context, int32_t row,
                                llama_token *out);

#endif
