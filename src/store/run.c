#include "store/run.h"

#include "store/state.h"

#include <assert.h>

void store_task_run(struct store *store, struct store_task *task) {
    assert(store->started && (task->kind->write == NULL) != (task->kind->read == NULL));
    store_lanes_put(&store->lanes, task);
}
