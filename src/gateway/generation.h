/* One generation of the core, made for a call: from submit to its record in the store. It outlives its call when the
 * client goes away before the device has confirmed the cancel. attempts.h has its way over the devices. */
#ifndef NATARIS_GATEWAY_GENERATION_H
#define NATARIS_GATEWAY_GENERATION_H

#include "call/call.h"
#include "core/core.h"
#include "gateway/core_loop.h"
#include "gateway/operator/metrics.h"
#include "gateway/operator/story.h"
#include "gateway/receipt.h"
#include "gateway/scopes.h"
#include "store/generations.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct providers;
struct audit_book;
struct audit_captures;
struct grammar_watch;

/* What is known of the device of one attempt: it may be gone by the time the generation is settled. */
struct attempt {
    uint32_t number; /* the core's */
    char device_id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    char region[8];
    bool self_made;         /* its device is of the account that asks, and not trusted */
    char scope[SCOPE_SIZE]; /* empty: its device does not know scopes, and was asked to reuse nothing */
    struct receipt_mark mark;
    uint32_t stop; /* of the stop strings, the one that its device says has ended the answer, from 1; 0: none */
};

struct generation {
    struct generations *generations;
    struct call *call; /* NULL once the client has gone */
    uint64_t handle;   /* the core's; CORE_NO_HANDLE before it was admitted */
    struct store_generation record;
    struct attempt first_attempt, *attempts; /* in order; the latter owned, unless it is the former */
    size_t attempt_count;
    struct story *story;            /* owned */
    struct receipt_draft receipt;   /* once admitted */
    struct generation *next, *prev; /* those of the core */
    struct call_result result;      /* once settled */
    bool canary;                    /* the gateway itself asks: free, in nobody's usage, and without a record */
    bool recorded;                  /* the store has been given its record, or needs none */
    bool in_doubt;                  /* and nobody can tell whether it has taken it */
    bool repeatable;                /* its failure is not recorded: it may be tried again under its id */
};

struct generations {
    struct core_loop *core; /* borrowed, like the next four */
    struct store *store;
    struct stories *stories;
    struct network_counts *counts;
    const struct providers *providers;
    const struct audit_book *audit_book; /* which answers are audited ... */
    struct audit_captures *captures;     /* ... and where these are kept */
    struct grammar_watch *grammar_watch; /* told what devices are asked */
    struct executor executor;            /* of calls: each becomes a generation on the network's devices */
    struct generation *list;             /* admitted by the core */
    struct scopes scopes;
};

void generations_init(struct generations *generations, struct core_loop *core, struct store *store,
                      struct stories *stories, struct network_counts *counts, const struct providers *providers);
void generations_clear(struct generations *generations); /* none is left */
/* Of those that the core has; NULL: none. */
const struct generation *generations_find(const struct generations *generations, const char *id);

/* The call may be gone when this returns. `only_provider`: it is a canary for that device, which answers it or nobody
 * does; CORE_NO_HANDLE: any device. */
void generation_submit(struct generations *generations, struct call *call, uint64_t only_provider);
/* With the core's next step: it fails with this unless it is being settled. */
void generation_abort(const struct generation *generation, enum core_failure failure);

/* Effects of the core. */
void generation_admitted(struct generation *generation, uint64_t handle);
void generation_placed(struct generation *generation, const struct core_effect *effect,
                       const struct core_candidate *candidates);
void generation_trace(const struct generation *generation, const struct core_effect *effect);
void generation_accepted(const struct generation *generation);
void generation_deliver(struct generation *generation, const struct core_effect *effect);
/* The last three free it. */
void generation_finish(struct generation *generation);
void generation_fail(struct generation *generation, const struct core_effect *effect);
void generation_cancelled(struct generation *generation);

#endif
