/* A job as the API shows it: what POST /v1/jobs makes. */
#ifndef NATARIS_JOBS_JOB_H
#define NATARIS_JOBS_JOB_H

#include "base/json_write.h"
#include "call/waiting.h"
#include "format/format.h"
#include "store/jobs.h"
#include "workflow/answer.h"

/* "QUEUED", ..., in any case of letters; false: none of them. */
MUST_CHECK bool job_state_of(struct str name, enum store_job_state *out);

/* The format that answers a job of that kind: a workflow's answer has the shape of a chat's. */
const struct format *job_format(const struct formats *formats, enum store_job_kind kind);
/* The format whose body it is, by "endpoint", "type", or what the body has; NULL with a fault. */
const struct format *job_format_read(const struct formats *formats, struct json_value body, struct fault *fault);

struct job_writing {
    bool whole;         /* with its result */
    enum waiting waits; /* what one that has not ended waits for */
};
void job_write(struct json_writer *writer, const struct formats *formats, const struct store_job *job,
               const struct job_writing *how);
/* The id of a job's workflow has the tail of the job's own, so that whoever comes back to the job finds it. */
void job_workflow_id(const char *id, char out[STORE_ID_MAX]);
/* The whole answer of a workflow, in the job's format; `ignored` as in call/answer.h. */
void job_workflow_write(const struct formats *formats, const struct store_job *job,
                        const struct workflow_answer *answer, struct str ignored, struct buf *out);

#endif
