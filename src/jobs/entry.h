/* A job that has not ended yet, from the moment that its request has come from the store to its end there: as a run or
 * as a workflow. */
#ifndef NATARIS_JOBS_ENTRY_H
#define NATARIS_JOBS_ENTRY_H

#include "jobs/queue.h"

enum {
    JOBS_TRIES_MAX = 5,                     /* of a failure that may pass */
    JOBS_WAIT_MAX_MS = 24 * 60 * 60 * 1000, /* a job that cannot begin for so long fails with what kept it */
};

/* There is room for it, and its request has come from the store. */
void job_entry_run(struct job_entry *entry, struct str body);
/* What runs of it is cancelled, without a word. */
void job_entry_stop(struct job_entry *entry);

#endif
