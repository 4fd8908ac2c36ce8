/* The one rule of how prompt and answer share a model's context. */
#ifndef NATARIS_ENGINE_CONTEXT_LIMIT_H
#define NATARIS_ENGINE_CONTEXT_LIMIT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTEXT_LIMIT_MESSAGE_MAX = 200 };

struct context_use {
    uint32_t prompt_tokens, continued_tokens;
    bool continues; /* there is a text to be continued: gen_request.continue_text */
    bool given;     /* max_tokens was asked for */
    bool chat;      /* tells "messages" from "prompt" in the words of a refusal */
};

/* An asked-for *max_tokens must fit behind the prompt; one that was not asked for is lowered, but one token must fit.
 * False: `message` says so in OpenAI's words. The client of a continuation has part of its answer, so there only the
 * prompt must fit; *max_tokens is lowered to what is left, even to 0: then the answer ends with "length" at once. */
MUST_CHECK bool context_limit_fit(uint32_t context_length, const struct context_use *use, uint32_t *max_tokens,
                                  char message[CONTEXT_LIMIT_MESSAGE_MAX]);

#endif
