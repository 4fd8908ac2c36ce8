/* Prompts that the gateway makes up for canaries: there is no list of them, and in length, sampling and form they are
 * like those of people. */
#ifndef NATARIS_GATEWAY_CANARY_PROMPT_H
#define NATARIS_GATEWAY_CANARY_PROMPT_H

#include "base/buf.h"
#include "base/random_source.h"
#include "wire/generation.h"

#include <stddef.h>

struct canary_prompt {
    struct buf system, user; /* owned */
    struct gen_message messages[2];
};

/* Fills the messages and the sampling of `request`, whose texts are the prompt's. Answers have 32 tokens and more, as
 * far as that can be asked for. */
void canary_prompt_make(struct canary_prompt *prompt, struct random_source *random, struct gen_request *request);
void canary_prompt_clear(struct canary_prompt *prompt);

#endif
