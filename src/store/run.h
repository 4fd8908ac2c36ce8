/* The way into the store's threads. */
#ifndef NATARIS_STORE_RUN_H
#define NATARIS_STORE_RUN_H

#include "store/task.h"

struct store; /* store.h */

/* After store_start, from the loop's thread. The task is the store's until it is freed; it answers exactly once, and
 * never before this returns. */
void store_task_run(struct store *store, struct store_task *task);

#endif
