/* Jobs as they are stored: the store's kinds have numbers of their own on disk. */
#ifndef NATARIS_JOBS_STORED_H
#define NATARIS_JOBS_STORED_H

#include "store/generations.h"
#include "store/jobs.h"

#include <stdbool.h>

/* Of a body in the form of such a generation, which a workflow answers, or not. */
enum store_job_kind job_stored_kind(enum store_generation_kind kind, bool workflow);
/* The form of the job's body and answer: a workflow's is that of a chat. */
enum store_generation_kind job_generation_kind(enum store_job_kind kind);

#endif
