/* What stands before an answer as items: messages, calls of tools and their results, each by itself, as clients of
 * POST /v1/responses send them. A prompt is made of messages, in which a text and the calls behind it are one. */
#ifndef NATARIS_FORMAT_HISTORY_H
#define NATARIS_FORMAT_HISTORY_H

#include "base/arena.h"
#include "base/compiler.h"
#include "base/err.h"
#include "wire/generation.h"

struct history_item {
    struct gen_message message; /* a call is an assistant's message without a text */
    struct str id;              /* as its client names it; empty: not at all */
    bool reference;             /* it stands for a kept item of that id, and is no message itself */
};

/* Of a request: what its client sent, and what kept answers are to add to it. */
struct history {
    struct str instructions, previous; /* previous: id of the answer whose items stand before these; empty: none */
    const struct history_item *items;
    size_t count, references;
    bool keep, keep_asked; /* the answer is to be kept with them; keep_asked: the client has said so */
};

/* Whether kept answers have to be read before it is whole. */
bool history_is_open(const struct history *history);

/* The request's messages: `instructions` (a system text; empty: none), then the items. ERR_TOO_LARGE when the arena is
 * full. */
MUST_CHECK bool history_join(struct str instructions, const struct history_item *items, size_t count,
                             struct arena *arena, struct gen_request *request, struct err *err);

#endif
