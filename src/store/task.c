#include "store/task.h"

#include "base/mem.h"

void store_task_fail(struct store_task *task, const struct err *err) {
    if (task->err == NULL) {
        task->err = MEM_NEW(struct err);
    }
    *task->err = *err;
}
