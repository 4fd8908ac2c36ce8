/* Jobs that nobody waits for (POST /v1/jobs): what has not ended yet, in memory, from the store's queue to its end
 * there.
 *
 * A job waits until its account has room for one more request under way, then it is a run (call/run.h) under its own
 * id. A refusal that time heals (429, model_warming, model_unavailable) makes it wait again, for a day at most; other
 * failures that may pass are tried a few times. It ends in the store first: who cancels or restarts in between loses
 * and pays nothing twice. */
#ifndef NATARIS_JOBS_JOBS_H
#define NATARIS_JOBS_JOBS_H

#include "call/calls.h"
#include "call/fault.h"
#include "call/waiting.h"
#include "format/format.h"
#include "store/jobs.h"

enum {
    JOBS_OPEN_MAX = 1000,        /* of an account and kind of key, waiting or running; past it: 429 */
    JOBS_TOTAL_MAX = 100 * 1000, /* of all; past it: 503 */
    JOBS_ACTIVE_MAX = 64,        /* of an account at once, whatever its tier allows */
    JOBS_PURGE_MS = 60 * 60 * 1000,
};

struct jobs;      /* jobs/queue.h */
struct workflows; /* workflow/workflow.h */

/* All borrowed. */
struct jobs *jobs_new(struct calls *calls, struct workflows *workflows, const struct formats *formats);
void jobs_free(struct jobs *jobs); /* NULL is fine */
/* Goes on with what was open when the gateway ended. */
void jobs_open(struct jobs *jobs);

/* Room for one more of this account; every reserve has its release, after the job was added. */
MUST_CHECK bool jobs_reserve(struct jobs *jobs, const struct auth_identity *identity, struct fault *fault);
void jobs_release(struct jobs *jobs, const char *account_id, bool test);
/* It is durable. */
void jobs_add(struct jobs *jobs, const struct store_job *job);
/* What one that has not ended waits for. */
enum waiting jobs_waits(const struct jobs *jobs, const struct store_job *job);
/* It has ended as cancelled in the store. */
void jobs_cancel(struct jobs *jobs, const char *id);

#endif
