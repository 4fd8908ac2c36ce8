/* What a text asks the sandbox to do: [[sandbox error=CODE retry_after=SECONDS after=TOKENS rate=TOKENS_PER_SECOND
 * slow]] in the last message of the user, so that a client can be tested against every error (docs/SANDBOX.md). */
#ifndef NATARIS_GATEWAY_SANDBOX_TRIGGER_H
#define NATARIS_GATEWAY_SANDBOX_TRIGGER_H

#include "base/arena.h"
#include "call/fault.h"
#include "wire/generation.h"

struct sandbox_trigger {
    struct str text; /* the whole directive in its message; empty: there is none */
    size_t message;  /* the index of that message; of a request that has none, it is in the prompt */
    bool fails;
    struct fault error;
    uint32_t after; /* it fails after so many tokens; 0: at once */
    uint32_t rate;  /* tokens per second; 0: as fast as it goes */
};

/* False: the directive is not understood, and out->error says so. */
MUST_CHECK bool sandbox_trigger_read(const struct gen_request *request, struct sandbox_trigger *out);
/* The request for the scripted engine: a directive with a rate is put into the engine's words. The copy is in the arena
 * and borrows from `request`. False when the arena is full. */
MUST_CHECK bool sandbox_trigger_translate(const struct sandbox_trigger *trigger, const struct gen_request *request,
                                          struct arena *arena, struct gen_request *out);

#endif
