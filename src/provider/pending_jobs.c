#include "provider/pending_jobs.h"

#include "base/mem.h"
#include "link/message.h"

#include <stdlib.h>
#include <utlist.h>

enum {
    READ_ARENA_MAX = 3 * LIMIT_LINK_MESSAGE_BYTES,
    ANY_JOB = 1, /* ours do not fit the message */
};

void pending_job_free(struct pending_job *job) {
    buf_clear(&job->message);
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
    buf_init(&job->message, LIMIT_LINK_MESSAGE_BYTES);
    arena_init(&job->arena, READ_ARENA_MAX);
    link_encode_job(&job->message, LINK_VERSION_NEWEST, ANY_JOB, request);
    if (job->message.overflow) {
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

bool pending_job_read(struct pending_job *job, struct gen_request *request, struct err *err) {
    struct json_parser *parser = json_parser_new(LIMIT_LINK_MESSAGE_BYTES, LIMIT_JSON_DEPTH);
    struct link_message message;
    bool worked = link_decode_text(LINK_VERSION_NEWEST, parser, &job->arena, buf_str(&job->message), &message, err);
    json_parser_free(parser);
    if (worked) {
        *request = message.job.request;
    }
    return worked;
}
