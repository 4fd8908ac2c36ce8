/* Jobs that wait for their model to be loaded, in the order they came. The owner bounds their number. */
#ifndef NATARIS_PROVIDER_PENDING_JOBS_H
#define NATARIS_PROVIDER_PENDING_JOBS_H

#include "base/arena.h"
#include "base/buf.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pending_job {
    uint64_t id;
    bool cancelled;
    struct buf message; /* the request as a link's job message: a copy that knows every member */
    struct arena arena; /* what was read back from it */
    struct pending_job *prev, *next;
};

struct pending_jobs { /* zeroed: empty */
    struct pending_job *first;
    size_t count;
};
void pending_jobs_clear(struct pending_jobs *pending);
/* Copies the request. False when it is too large to be held. */
MUST_CHECK bool pending_jobs_add(struct pending_jobs *pending, uint64_t id, const struct gen_request *request);
/* Marks a job; false when it does not wait here. */
bool pending_jobs_cancel(struct pending_jobs *pending, uint64_t id);
/* Takes the first job, or the first cancelled one, out; NULL when there is none. The caller frees it. */
struct pending_job *pending_jobs_take(struct pending_jobs *pending);
struct pending_job *pending_jobs_take_cancelled(struct pending_jobs *pending);
/* The request, borrowed from the job. */
MUST_CHECK bool pending_job_read(struct pending_job *job, struct gen_request *request, struct err *err);
void pending_job_free(struct pending_job *job);

#endif
