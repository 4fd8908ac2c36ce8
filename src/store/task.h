/* Work for the store's threads: what is done there, and how it is answered. All that is asked of the store is a task.
 *
 * How a stored table is added, say notes (tests/unit/store/sqlite/test_added_table.c does it from outside, in a file):
 *  1. sqlite/NNNN_notes.sql makes the table and sets the version, with its line in sqlite/migrations.c. A backend
 *     beside SQLite has a script of the same number.
 *  2. sqlite/notes.c, with its statements in sqlite/texts.h and .c: static functions that take a struct
 *     store_connection, collected in `const struct store_note_rows sqlite_note_rows`, which sqlite/driver.c names.
 *  3. notes.h and .c here: a struct that begins with a struct store_task and copies what was given, a const struct
 *     store_task_kind whose write or read calls the row function, a public function that fills it and runs it
 *     (store_task_run of run.h). notes.h ends with struct store_note_rows: a function for each thing that is done.
 *  4. A line in struct store_driver (driver.h).
 *  5. tests/contract/test_store_notes.c: what must hold with every driver.
 * Nothing else changes: not the threads, not the group commit, not store.c. */
#ifndef NATARIS_STORE_TASK_H
#define NATARIS_STORE_TASK_H

#include "base/err.h"

#include <stdbool.h>

struct store_connection; /* driver.h */
struct store_task;

/* Exactly one of write and read is set. */
struct store_task_kind {
    /* On the writer's thread, inside the transaction of its group. A refusal (ERR_CONFLICT, ERR_NOT_FOUND, ERR_INVALID)
     * has written nothing: the others of the group are fine. */
    bool (*write)(struct store_task *task, struct store_connection *connection, struct err *err);
    /* On a reader's thread, on its own connection, inside a transaction: it sees one state of the database. */
    bool (*read)(struct store_task *task, struct store_connection *connection, struct err *err);
    /* Of a read: it gives a list or a sum, or what the operator asks for. Such are answered by a thread of their own,
     * one after the other, so that nobody's lists make another's short question wait. */
    bool list;
    /* On the loop's thread: when what it wrote is durable (err NULL), or with what went wrong. NULL: nobody waits. */
    void (*answer)(struct store_task *task, const struct err *err);
    /* After the answer: what it owns, and itself. NULL: free() is enough. */
    void (*free)(struct store_task *task);
};

/* Stands first in a struct of the caller's, on the heap, zeroed but for its kind. */
struct store_task {
    const struct store_task_kind *kind;
    bool idle; /* set by `write`: it has only looked */
    /* The rest is the store's. */
    bool broke; /* the first of the group that broke the store */
    struct err *err;
    struct store_task *next;
};

/* What its answer will say, in place of what was said before. */
void store_task_fail(struct store_task *task, const struct err *err);

#endif
