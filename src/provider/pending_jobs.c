#include "provider/pending_jobs.h"

#include "base/mem.h"

#include <stdlib.h>
#include <utlist.h>

enum { REQUEST_ARENA_MAX = 3 * LIMIT_LINK_MESSAGE_BYTES };

void pending_job_free(struct pending_job *job) {
    arena_clear(&job->arena);
    free(job);
}

void pending_jobs_clear(struct pending_jobs *pending) {
    struct pending_job *job = NULL;
    while ((job = pending_jobs_take(pending)) != NULL) {
        pending_job_free(job);
    }
}

bool pending_jobs_add(struct pending_jobs *pending, uint64_t id, const struct gen_request *request) {
    struct pending_job *job = MEM_NEW(struct pending_job);
    job->id = id;
    job->request = *request;
    arena_init(&job->arena, REQUEST_ARENA_MAX);
    if (!gen_request_copy(&job->arena, &job->request)) {
        pending_job_free(job);
        return false;
    }
    DL_APPEND(pending->first, job);
    pending->count++;
    return true;
}

bool pending_jobs_cancel(struct pending_jobs *pending, uint64_t id) {
    struct pending_job *job = NULL;
    DL_SEARCH_SCALAR(pending->first, job, id, id);
    if (job != NULL) {
        job->cancelled = true;
    }
    return job != NULL;
}

static struct pending_job *take(struct pending_jobs *pending, struct pending_job *job) {
    if (job != NULL) {
        DL_DELETE(pending->first, job);
        pending->count--;
    }
    return job;
}

struct pending_job *pending_jobs_take(struct pending_jobs *pending) {
    return take(pending, pending->first);
}

struct pending_job *pending_jobs_take_cancelled(struct pending_jobs *pending) {
    struct pending_job *job = NULL;
    DL_SEARCH_SCALAR(pending->first, job, cancelled, true);
    return take(pending, job);
}
