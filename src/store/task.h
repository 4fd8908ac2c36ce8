/* Work that a file of this folder brings to the store's threads by itself: what it does there, and how it answers. For
 * the tables that are not the ledger's. Only files of this folder make tasks. */
#ifndef NATARIS_STORE_TASK_H
#define NATARIS_STORE_TASK_H

#include "base/err.h"

#include <stdbool.h>

struct store;
struct ledger;
struct sqlite_db;

/* Stands first in a struct of the caller's, on the heap. Exactly one of write and read is set. */
struct store_task {
    /* On the writer's thread, inside the transaction of its group. A refusal (ERR_CONFLICT, ERR_NOT_FOUND, ERR_INVALID)
     * has written nothing: the others of the group are fine. */
    bool (*write)(struct store_task *task, struct ledger *ledger, struct err *err);
    /* On the reader's thread, on its own connection. */
    bool (*read)(struct store_task *task, struct sqlite_db *db, struct err *err);
    /* On the loop's thread: once what was written is durable (err NULL), or with what went wrong. Frees the task. */
    void (*answer)(struct store_task *task, const struct err *err);
};
/* After store_start, from the loop's thread. The task is the store's until it answers, which is never before this
 * returns. */
void store_task_run(struct store *store, struct store_task *task);

#endif
