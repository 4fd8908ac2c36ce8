/* What is kept: accounts and keys, devices, generations, the ledger, conversations, jobs, workflows, webhooks; each
 * noun has its own header in this folder. One writer thread puts all waiting writes into one transaction (group
 * commit), one reader thread answers questions and another what may take long (lists, sums); answers come back on the
 * loop. What lies below is a driver
 * (driver.h), named by whoever opens the store; tests/contract/test_store*.c say what any driver must do. How a table
 * is added: task.h. */
#ifndef NATARIS_STORE_STORE_H
#define NATARIS_STORE_STORE_H

#include "store/limits.h"

#include <uv.h>

struct store_driver; /* driver.h */

/* Opens or creates what lies at `place` (of SQLite: a file) and migrates it forward in one transaction. ERR_CONFLICT
 * when its schema is newer than this program; ERR_IO with the system's words (disk full, permissions). Usable at once
 * by the synchronous calls. */
MUST_CHECK bool store_open(struct store **out, const struct store_driver *driver, const char *place, struct err *err);
struct store_options {
    uint32_t patience_ms; /* for so long it is asked what became of a commit in doubt; 0: the usual, half a minute */
};
/* Over a connection that was opened with a driver's own options; it is the store's from now on. */
struct store *store_over(struct store_connection *connection, const struct store_options *options);
/* Waits for the writer, gives every waiting callback its answer, closes and frees. Safe on a store whose thread was
 * never started, and on NULL. Not from inside a store callback. The loop must turn once more before it is closed
 * itself. */
void store_close(struct store *store);

/* --- Synchronous: for commands and start-up, before store_start, from one thread; as those of other headers. --- */
/* Small named settings: the gateway's own id and such. ERR_NOT_FOUND when absent. */
MUST_CHECK bool store_setting_get(struct store *store, const char *name, char *out, size_t out_size, struct err *err);
MUST_CHECK bool store_setting_set(struct store *store, const char *name, const char *value, struct err *err);

/* --- Asynchronous: after store_start, from the loop's thread only; callbacks come on the loop's thread. --- */
/* Starts the threads. Waiting requests keep the loop alive, an idle store does not. `on_broken` is called once when a
 * write failed for good (disk full, file gone): the gateway must stop acknowledging; every waiting callback gets the
 * error too. */
MUST_CHECK bool store_start(struct store *store, uv_loop_t *loop,
                            void (*on_broken)(void *context, const struct err *err), void *context, struct err *err);
/* Groups committed and records in them so far: for metrics and the benchmark. */
struct store_counts {
    uint64_t groups, records;
    uint64_t deliveries_dropped; /* of webhooks: no room was left for them (quota.h, or the disk) */
};
struct store_counts store_counts(const struct store *store);

#endif
