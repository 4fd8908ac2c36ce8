/* The rows of store/jobs.h. Errors as in db.h. */
#ifndef NATARIS_STORE_SQLITE_JOBS_H
#define NATARIS_STORE_SQLITE_JOBS_H

#include "store/jobs.h"
#include "store/sqlite/ledger.h"

extern const struct store_job_rows sqlite_job_rows;

#endif
