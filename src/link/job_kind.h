/* What a job asks for (version 2; in version 1 every job is GENERATE). */
#ifndef NATARIS_LINK_JOB_KIND_H
#define NATARIS_LINK_JOB_KIND_H

#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

enum link_job_kind {
    LINK_JOB_KIND_GENERATE, /* text that follows a prompt */
    LINK_JOB_KIND_SCORE,    /* how likely an answer is to come from the model (docs/AUDITS.md) */
    LINK_JOB_KIND_GRAMMAR,  /* GENERATE, and the text keeps to the request's grammar */
    LINK_JOB_KIND_SAMPLE,   /* GENERATE, or GRAMMAR where there is one, with what the request says of single tokens */
    /* Names that are reserved: nothing sends or takes such jobs yet. */
    LINK_JOB_KIND_EMBED,
    LINK_JOB_KIND_TRANSCRIBE,
    LINK_JOB_KIND_SPEAK,
    LINK_JOB_KIND_OTHER, /* a newer peer's */
};

/* A set of kinds is the sum of these. */
#define LINK_JOB_KIND_BIT(kind) (UINT32_C(1) << (kind))

/* What a request is on the link. Kinds of their own, so that no device leaves out what it does not know. */
enum link_job_kind link_job_kind_of(const struct gen_request *request);
/* Whether its jobs are generations, answered by deltas and a done. */
bool link_job_kind_generates(enum link_job_kind kind);
const char *link_job_kind_name(enum link_job_kind kind); /* "generate", ...; "other" */
enum link_job_kind link_job_kind_from_name(struct str name);

#endif
