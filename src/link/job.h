/* What the gateway asks of a provider: a job, and to give one up. */
#ifndef NATARIS_LINK_JOB_H
#define NATARIS_LINK_JOB_H

#include "base/buf.h"
#include "link/job_kind.h"
#include "link/reader.h"
#include "link/version.h"
#include "wire/generation.h"
#include "wire/score.h"

/* Numbers of jobs: from 1 to this. */
#define LINK_JOB_MAX ((UINT64_C(1) << 53) - 1)

struct link_job {
    uint64_t job;
    enum link_job_kind kind;
    struct str kind_name;       /* the word of it, also of one that is not known */
    struct gen_request request; /* of GENERATE and SCORE; of other kinds it is not read. Its scope is the job's */
    struct gen_answer answer;   /* of SCORE */
};

/* A job of the kind GENERATE, as one text message; in version 1 without the request's scope. Check out->overflow. */
void link_encode_job(struct buf *out, enum link_version version, uint64_t job, const struct gen_request *request);
/* One of the kind SCORE, which version 1 does not have. */
void link_encode_score(struct buf *out, uint64_t job, const struct gen_request *request,
                       const struct gen_answer *answer);
void link_encode_cancel(struct buf *out, uint64_t job);

/* Reads one, whose out is zeroed. When the job alone is wrong its number is set all the same: it can be refused without
 * giving up the link. */
MUST_CHECK bool link_read_job(const struct link_reader *reader, enum link_version version, struct link_job *out);
/* The member "job" of any message. */
MUST_CHECK bool link_read_job_number(const struct link_reader *reader, uint64_t *out);

#endif
