/* How many tokens texts have: by the rates of their model, which settled generations teach (tokens/learned.h); or,
 * where the gateway has the model's file, by its own vocabulary. */
#ifndef NATARIS_CALL_COUNTING_H
#define NATARIS_CALL_COUNTING_H

#include "call/calls.h"
#include "tokens/learned.h"
#include "wire/generation.h"

enum { COUNTING_SURE_PART = 8, COUNTING_SURE_TOKENS = 4, COUNTING_QUICK_BYTES = 64 * 1024 };

/* A model's rates now. */
struct tokens_rates counting_rates(const struct calls *calls, struct str model, enum tokens_need need);
/* What a request's prompt is made of, its tool calls included. */
void counting_request_text(const struct gen_request *request, struct tokens_text *out);
/* Tokens of a request's prompt, with its template. */
int64_t counting_request_tokens(const struct tokens_rates *rates, const struct gen_request *request);
/* The most that a device may count for the bill: what such a text has by the rates of the model's family, with room for
 * odd texts; not more than price_prompt_tokens_max. */
uint32_t counting_request_most(const struct calls *calls, const struct gen_request *request,
                               const struct tokens_text *text);
/* A prompt of so many tokens, as far as is known, may well have so many: an eighth more, and some of a template; but
 * fewer than the bound. A device that counts more is looked at. */
uint32_t counting_sure(uint32_t likely, uint32_t most);
/* As many as the prompt has at most, if its text is usual text; not more than price_prompt_tokens_max. */
uint32_t counting_request_enough(const struct calls *calls, const struct gen_request *request,
                                 const struct tokens_text *text);
/* Whether the model's own vocabulary is at hand. Then the counts of both of these come from it: asynchronously, once
 * for each question, within 2 s; or none, and the rates must do. What is counted teaches the rates. The texts are
 * copied. */
bool counting_can(const struct calls *calls, struct str model);
/* Whether besides nobody's long text stands before a question now, so that it is answered within some hundredths of a
 * second: for questions that others wait for, and that can be left out. */
bool counting_is_quick(const struct calls *calls, struct str model);
void counting_ask_texts(struct calls *calls, struct str model, const struct str *texts, size_t count,
                        call_counted *told, void *context);
void counting_ask_chat(struct calls *calls, const struct gen_request *request, call_counted *told, void *context);
/* A device has counted a prompt: `who` is the account that it belongs to; without one it teaches nothing. */
void counting_learn(struct calls *calls, const struct tokens_taught *taught);

#endif
