/* Jobs that nobody waits for (POST /v1/jobs): what has not ended yet, in memory, from the store's queue to its end there.
 *
 * A job waits until its account has room for one more request under way, then it is a run (call/run.h) under its own id. A
 * refusal that time heals (429, model_warming) makes it wait again, for a day at most; other failures that may pass are
 * tried a few times. It ends in the store first: who cancels or restarts in between loses and pays nothing twice. */
#ifndef NATARIS_JOBS_JOBS_H
#define NATARIS_JOBS_JOBS_H

#include "api/request.h"
#include "format/input.h"
#include "store/jobs.h"
#include "workflow/workflows.h"

enum {
    JOBS_OPEN_MAX = 1000,                   /* of an account and kind of key, waiting or running; past it: 429 */
    JOBS_TOTAL_MAX = 100 * 1000,            /* of all; past it: 503 */
    JOBS_ACTIVE_MAX = 64,                   /* of an account at once, whatever its tier allows */
    JOBS_TRIES_MAX = 5,                     /* of a failure that may pass */
    JOBS_TICK_MS = 250,                     /* how often room is looked for while jobs wait */
    JOBS_WAIT_MAX_MS = 24 * 60 * 60 * 1000, /* a job that cannot begin for so long fails with what kept it */
    JOBS_PURGE_MS = 60 * 60 * 1000,
};

struct jobs *jobs_new(struct api *api);
void jobs_free(struct jobs *jobs); /* NULL is fine */
/* Goes on with what was open when the gateway ended. */
void jobs_open(struct jobs *jobs);

/* Room for one more of this account; every reserve has its release, after the job was added. */
MUST_CHECK bool jobs_reserve(struct jobs *jobs, const struct auth_identity *identity, struct fault *error);
void jobs_release(struct jobs *jobs, const char *account_id, bool test);
/* It is durable. */
void jobs_add(struct jobs *jobs, const struct store_job *job);
/* It has ended as cancelled in the store. */
void jobs_cancel(struct jobs *jobs, const char *id);

/* What the body of a job asks for: a chat or an inference. `models` false: its model's id is left as it came. */
MUST_CHECK bool job_kind_read(struct json_value body, enum api_call_kind *out, struct fault *error);
/* The id of a job's workflow has the tail of the job's own, so that whoever comes back to the job finds it. */
void job_workflow_id(const char *id, char out[STORE_ID_MAX]);
/* The whole chat.completion of a workflow's answer. */
void job_workflow_write(const struct store_job *job, const struct workflow_answer *answer, struct buf *out);
/* Writes the job as the API shows it; `whole` with its result. */
void job_write(struct json_writer *writer, const struct store_job *job, bool whole);
const char *job_state_name(enum store_job_state state); /* "QUEUED", ... */

#endif
