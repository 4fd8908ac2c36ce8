/* The rows of store_job.h; as in sqlite_rows.h. */
#ifndef NATARIS_STORE_SQLITE_JOBS_H
#define NATARIS_STORE_SQLITE_JOBS_H

#include "store/jobs.h"
#include "store/sqlite/ledger.h"

/* Body and result are on the heap: sqlite_job_clear. ERR_NOT_FOUND. */
MUST_CHECK bool sqlite_job_find(struct sqlite_db *db, const char *id, struct store_job *out, struct err *err);
void sqlite_job_clear(struct store_job *job);
/* `existing` (empty: none) is the id of the job that has its scope; then nothing was written. */
MUST_CHECK bool sqlite_job_add(struct ledger *ledger, const struct store_job_new *asked, char existing[STORE_ID_MAX],
                               struct err *err);
MUST_CHECK bool sqlite_job_move(struct sqlite_db *db, const char *id, enum store_job_state state, int64_t now_ms,
                                struct err *err);
/* Not `changed`: it had ended before, or there is none. */
MUST_CHECK bool sqlite_job_end(struct ledger *ledger, const struct store_job_end *end, bool *changed, struct err *err);
/* `jobs` is on the heap. */
MUST_CHECK bool sqlite_job_list(struct sqlite_db *db, const struct store_job_query *query, struct store_job **jobs,
                                size_t *count, bool *more, struct err *err);
MUST_CHECK bool sqlite_job_purge(struct sqlite_db *db, int64_t before_ms, int limit, bool *more, struct err *err);

#endif
