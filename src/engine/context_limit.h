/* The one rule of how prompt and answer share a model's context. */
#ifndef NATARIS_ENGINE_CONTEXT_LIMIT_H
#define NATARIS_ENGINE_CONTEXT_LIMIT_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CONTEXT_LIMIT_MESSAGE_MAX = 200 };

/* An asked-for *max_tokens must fit behind the prompt; one that was not asked for (`given` false) is lowered, but one
 * token must fit. False: `message` says so in OpenAI's words; `chat` tells "messages" from "prompt" in it. */
MUST_CHECK bool context_limit_fit(uint32_t context_length, uint32_t prompt_tokens, bool given, bool chat,
                                  uint32_t *max_tokens, char message[CONTEXT_LIMIT_MESSAGE_MAX]);

#endif
