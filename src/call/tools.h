/* The client's tools, as a call has them: what the model is told of them, and what may come back. */
#ifndef NATARIS_CALL_TOOLS_H
#define NATARIS_CALL_TOOLS_H

#include "base/arena.h"
#include "base/compiler.h"
#include "call/reply.h"
#include "wire/generation.h"

struct call_tool {
    struct str name, description; /* empty: none is given */
    struct str parameters;        /* a JSON schema; empty: it takes none */
};

struct call_tools {
    const struct call_tool *items;
    size_t count;
    struct reply_names names; /* of the same */
    bool one_call;            /* at most one */
};

/* Says them in the request's system text, or in one of its own, in the words that Qwen's and Hermes' templates have for
 * it: models that were taught tools know them, and others can follow them. Written here, they are part of the prompt
 * like any other text: guarded, counted, cached, and the same on every device. False: the arena is full. */
MUST_CHECK bool tools_tell(const struct call_tools *tools, struct arena *arena, struct gen_request *request);
/* What is needed to read the answer, for a call that outlives its request; NULL of NULL. False: the arena is full. */
MUST_CHECK bool tools_copy_names(struct arena *arena, const struct call_tools *tools, const struct call_tools **out);

#endif
