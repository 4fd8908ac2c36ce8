/* Patience: how something that a run failed for is waited out. Whoever starts runs that nobody stands waiting for
 * (jobs, steps of workflows) tells it each failure, and is told whether time may heal that and from when on to try
 * again. */
#ifndef NATARIS_CALL_PATIENCE_H
#define NATARIS_CALL_PATIENCE_H

#include "call/calls.h"
#include "call/waiting.h"

enum {
    PATIENCE_MIN_MS = 250, /* the shortest wait */
    PATIENCE_MAX_MS = 60 * 1000,
};

struct patience {
    uint32_t tries;         /* failures that may pass, so far */
    uint64_t not_before_ms; /* loop clock: no try before then */
    uint64_t warm_by_ms;    /* loop clock: nor before then as long as no device has the model */
    uint64_t since_ms;      /* loop clock, of the first refusal for which it waits; 0: none */
    enum waiting waits_for; /* since the last failure */
};

/* How patient. */
struct patience_terms {
    uint32_t tries_max; /* of failures that may pass (a timeout, a device that broke) */
    uint64_t
        /* how long refusals that time heals (429, model_warming, model_unavailable) are waited out, from the first
         * one */
        refusals_ms;
};

enum patience_verdict {
    PATIENCE_OVER,    /* it has failed for good */
    PATIENCE_WAITS,   /* to be tried again when patience_is_due */
    PATIENCE_LIMITED, /* likewise, and no other of its account has a better chance: the account's limit was met */
};

/* After a failure at `now_ms` (loop clock). */
enum patience_verdict patience_after(struct patience *patience, const struct patience_terms *terms,
                                     const struct fault *fault, uint64_t now_ms);
/* In any case not before so long. */
void patience_pause(struct patience *patience, uint64_t now_ms, uint64_t wait_ms);
/* Whether it is to be tried now. */
bool patience_is_due(const struct patience *patience, const struct calls *calls, struct str model);

#endif
