/* What a job asks for (version 2; in version 1 every job is GENERATE). */
#ifndef NATARIS_LINK_JOB_KIND_H
#define NATARIS_LINK_JOB_KIND_H

#include "base/str.h"

#include <stdint.h>

enum link_job_kind {
    LINK_JOB_KIND_GENERATE, /* text that follows a prompt */
    LINK_JOB_KIND_SCORE,    /* how likely an answer is to come from the model (docs/AUDITS.md) */
    /* Names that are reserved: nothing sends or takes such jobs yet. */
    LINK_JOB_KIND_EMBED,
    LINK_JOB_KIND_TRANSCRIBE,
    LINK_JOB_KIND_SPEAK,
    LINK_JOB_KIND_OTHER, /* a newer peer's */
};

/* A set of kinds is the sum of these. */
#define LINK_JOB_KIND_BIT(kind) (UINT32_C(1) << (kind))

const char *link_job_kind_name(enum link_job_kind kind); /* "generate", ...; "other" */
enum link_job_kind link_job_kind_from_name(struct str name);

#endif
