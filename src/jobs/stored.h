/* Jobs as they are stored: the store's kinds have numbers of their own on disk. */
#ifndef NATARIS_JOBS_STORED_H
#define NATARIS_JOBS_STORED_H

#include "api/api.h"
#include "store/jobs.h"

/* Of a call that a workflow answers, or not. */
enum store_job_kind job_stored_kind(enum api_call_kind kind, bool workflow);
/* The shape of the job's answer: a workflow's is that of a chat. */
enum api_call_kind job_call_kind(enum store_job_kind kind);

#endif
