/* What the body of a request for a generation says, whatever public form it has. Types only; formats fill it in. */
#ifndef NATARIS_CALL_INPUT_H
#define NATARIS_CALL_INPUT_H

#include "core/core.h"
#include "wire/generation.h"

struct orchestration; /* format/orchestration.h */

/* Strings are in the request's arena. */
struct call_input {
    struct gen_request request; /* its model as the client wrote it, until it was resolved (call/models.h) */
    struct str label;           /* conversation_id; empty when none */
    struct str ignored;         /* members of the answer's "nataris" that name what was ignored; empty: nothing was */
    bool stream, include_usage;
    bool repeat_penalty_given;                 /* else it is the model's (models_set_defaults) */
    char region[CORE_REGION_SIZE];             /* where devices may be: two letters, upper case; empty: anywhere */
    bool verified;                             /* only devices that the operator has verified */
    const struct orchestration *orchestration; /* what it says of a workflow that is to answer it; NULL: nothing */
};

#endif
