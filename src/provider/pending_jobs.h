/* Jobs that wait for their model to be loaded, in the order they came. The owner bounds their number. */
#ifndef NATARIS_PROVIDER_PENDING_JOBS_H
#define NATARIS_PROVIDER_PENDING_JOBS_H

#include "base/arena.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pending_job {
    uint64_t id;
    bool cancelled;
    struct gen_request request; /* in the arena */
    struct arena arena;
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
void pending_job_free(struct pending_job *job);

#endif
