/* What the body of a request for a generation says, whatever public form it has. Types only; formats fill it in. */
#ifndef NATARIS_CALL_INPUT_H
#define NATARIS_CALL_INPUT_H

#include "call/answer.h"
#include "core/core.h"
#include "wire/generation.h"

struct orchestration; /* format/orchestration.h */
struct call_tools;    /* call/tools.h */
struct history;       /* format/history.h */

/* Strings are in the request's arena. */
struct call_input {
    struct gen_request request; /* its model as the client wrote it, until it was resolved (call/models.h) */
    struct str label;           /* conversation_id; empty when none */
    struct str ignored;         /* members of the answer's "nataris" that name what was ignored; empty: nothing was */
    struct str echo;            /* members that the answer repeats of its request, if its form does; else empty */
    bool stream, include_usage;
    bool repeat_penalty_given;                 /* else it is the model's (models_set_defaults) */
    char region[CORE_REGION_SIZE];             /* where devices may be: two letters, upper case; empty: anywhere */
    bool verified;                             /* only devices that the operator has verified */
    const struct call_prompts *prompts;        /* NULL: a form that has none, or has one that nobody is told again */
    const struct call_tools *tools;            /* that the answer may call; NULL: none */
    const struct orchestration *orchestration; /* what it says of a workflow that is to answer it; NULL: nothing */
    /* Of a form whose requests name kept answers: while it is open, `request` has no messages yet. NULL: of another. */
    const struct history *history;
};

#endif
