/* What a workflow will likely take. It is played through as it would run, each step with its real prompt where that is
 * known and with outputs of the usual length where it is not.
 *
 * `high` bounds the plan that is played: bytes bound tokens (call/price.h), max_tokens bounds outputs, and a prompt
 * whose inputs are not known yet fits the context. `low` and `likely` are guesses by the rates of the
 * model (tokens/rates.h), until this account has done
 * enough such steps. */
#ifndef NATARIS_WORKFLOW_ESTIMATE_H
#define NATARIS_WORKFLOW_ESTIMATE_H

#include "call/calls.h"
#include "call/input.h"
#include "format/orchestration.h"
#include "store/workflows.h"

enum { ESTIMATE_BYTES_PER_TOKEN = 4 /* of usual text */ };

struct estimate_range {
    int64_t low, likely, high;
};

/* All the steps of a name together. */
struct estimate_group {
    int64_t count;
    struct estimate_range prompt, completion;
};

struct estimate {
    struct call_input input;
    struct orchestration asked;
    size_t input_bytes; /* of the messages */
    bool assumed;       /* they were not told */
    bool chosen;        /* by "auto" */
    enum core_workflow_kind kind;
    struct estimate_group groups[CORE_STEP_NAMES];
    uint32_t samples;
};

/* Fills in the groups; `input`, `asked` and `kind` must be set, the rest zero. False: the arena is full, or a prompt
 * too large. */
MUST_CHECK bool estimate_play(const struct calls *calls, struct estimate *estimate, struct arena *arena);
/* What was measured takes the place of the guesses; the bound stays. */
void estimate_take_history(struct estimate *estimate, const struct store_step_history *history, size_t count);
void estimate_range_add(struct estimate_range *sum, const struct estimate_range *range);

#endif
