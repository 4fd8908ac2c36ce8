/* How many tokens texts have: by the rates of their model, which settled generations teach (tokens/learned.h). */
#ifndef NATARIS_CALL_COUNTING_H
#define NATARIS_CALL_COUNTING_H

#include "call/calls.h"
#include "tokens/learned.h"
#include "wire/generation.h"

/* A model's rates now. */
struct tokens_rates counting_rates(const struct calls *calls, struct str model, enum tokens_need need);
/* What a request's prompt is made of, its tool calls included. */
void counting_request_text(const struct gen_request *request, struct tokens_text *out);
/* Tokens of a request's prompt, with its template. */
int64_t counting_request_tokens(const struct tokens_rates *rates, const struct gen_request *request);
/* As many as the prompt has at most, if its text is usual text; not more than price_prompt_tokens_max. */
uint32_t counting_request_enough(const struct calls *calls, const struct gen_request *request,
                                 const struct tokens_text *text);
/* A device has counted a prompt: `who` is the account that it belongs to; without one it teaches nothing. */
void counting_learn(struct calls *calls, const struct tokens_taught *taught);

#endif
