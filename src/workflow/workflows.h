/* The workflows that are alive: how many each account may have, and when those that wait are looked at. */
#ifndef NATARIS_WORKFLOW_WORKFLOWS_H
#define NATARIS_WORKFLOW_WORKFLOWS_H

#include "call/call.h"
#include "call/fault.h"

enum {
    WORKFLOWS_OPEN_MAX = 100,        /* of an account and kind of key; past it: 429 */
    WORKFLOWS_TOTAL_MAX = 10 * 1000, /* of all; past it: 503 */
    WORKFLOWS_PARALLEL_MAX = 16,     /* steps of one workflow at once, as far as the account's tier allows */
    WORKFLOWS_STEP_TRIES_MAX = 4,    /* of a failure that may pass, while nothing of the step was streamed */
    /* That one step waits for room or a device: while a client waits, and while nobody does. */
    WORKFLOWS_WAIT_MAX_MS = 10 * 60 * 1000,
    WORKFLOWS_WAIT_ALONE_MS = 24 * 60 * 60 * 1000,
    WORKFLOWS_PURGE_MS = 60 * 60 * 1000,
    WORKFLOWS_TICK_MS = 250, /* how often room is looked for while steps wait */
};

struct workflow;         /* workflow/workflow.h */
struct workflow_account; /* how many one account has */

struct workflows {
    struct calls *calls;   /* borrowed */
    struct workflow *list; /* uthash, by id */
    struct workflow_account *accounts;
    size_t total;
    struct executor executor; /* workflow/executor.h */
    struct json_parser *parser;
    struct loop_timer *tick, *purge;
    bool ticking;
};

struct workflows *workflows_new(struct calls *calls);
void workflows_free(struct workflows *workflows); /* NULL is fine */
void workflows_open(struct workflows *workflows); /* goes on with what was open when the gateway ended */
/* The gateway stops: steps under way go on, no further one begins, waiters are told 503; the next gateway goes on. */
void workflows_drain(struct workflows *workflows);

/* For one more of this account; false with a fault. */
MUST_CHECK bool workflows_have_room(struct workflows *workflows, const struct auth_identity *identity,
                                    struct fault *fault);
struct workflow *workflows_find(struct workflows *workflows, const char *id); /* alive, or NULL */
/* A new one is listed and counted; and no longer. */
void workflows_add(struct workflows *workflows, struct workflow *workflow);
void workflows_remove(struct workflows *workflows, struct workflow *workflow);
/* One of them waits: the tick looks again. */
void workflows_wake(struct workflows *workflows);

#endif
