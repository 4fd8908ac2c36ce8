/* The rows of store_async.h; as in sqlite_rows.h. */
#ifndef NATARIS_STORE_SQLITE_ASYNC_H
#define NATARIS_STORE_SQLITE_ASYNC_H

#include "store/sqlite_ledger.h"
#include "store/store_async.h"

/* Body and result are on the heap: sqlite_async_clear. ERR_NOT_FOUND. */
MUST_CHECK bool sqlite_async_find(struct sqlite_db *db, const char *id, struct store_async *out, struct err *err);
void sqlite_async_clear(struct store_async *job);
/* `existing` (empty: none) is the id of the job that has its scope; then nothing was written. */
MUST_CHECK bool sqlite_async_add(struct ledger *ledger, const struct store_async_new *asked,
                                 char existing[STORE_ID_MAX], struct err *err);
MUST_CHECK bool sqlite_async_move(struct sqlite_db *db, const char *id, enum store_async_state state, int64_t now_ms,
                                  struct err *err);
/* Not `changed`: it had ended before, or there is none. */
MUST_CHECK bool sqlite_async_end(struct ledger *ledger, const struct store_async_end *end, bool *changed,
                                 struct err *err);
/* `jobs` is on the heap. */
MUST_CHECK bool sqlite_async_list(struct sqlite_db *db, const struct store_async_query *query,
                                  struct store_async **jobs, size_t *count, bool *more, struct err *err);
MUST_CHECK bool sqlite_async_purge(struct sqlite_db *db, int64_t before_ms, int limit, bool *more, struct err *err);

#endif
