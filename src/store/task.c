#include "store/task.h"

#include "base/mem.h"
#include "store/state.h"

#include <assert.h>

void store_task_fail(struct store_task *task, const struct err *err) {
    if (task->err == NULL) {
        task->err = MEM_NEW(struct err);
    }
    *task->err = *err;
}

void store_task_run(struct store *store, struct store_task *task) {
    assert(store->started && (task->kind->write == NULL) != (task->kind->read == NULL));
    store_lanes_put(&store->lanes, task);
}
