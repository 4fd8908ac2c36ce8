/* The jobs that wait for a provider, model by model. */
#include "core/core_internal.h"

void core_queue_enter(struct core *core, struct core_job *job) {
    struct core_list *queue = &job->model->queue;
    if (job->attempts > 0) {
        core_list_push_front(queue, &job->link); /* it has waited before the others */
    } else {
        core_list_push_back(queue, &job->link);
    }
    core->queued++;
    core_model_mark_pending(core, job->model);
}

void core_queue_leave(struct core *core, struct core_job *job) {
    core_list_remove(&job->model->queue, &job->link);
    core->queued--;
}

static void queue_run(struct core *core, struct core_model *model) {
    struct core_link *next;
    for (struct core_link *link = core_list_first(&model->queue); link != NULL && model->ready.count > 0; link = next) {
        next = core_list_next(&model->queue, link);
        struct core_job *job = CORE_OF(link, struct core_job, link);
        struct core_offering *offering = core_place(core, model, job);
        if (offering != NULL) { /* else it has tried all that are free: those behind it need not wait for it */
            core_attempt_start(core, job, offering);
        }
    }
}

void core_queues_run(struct core *core) {
    struct core_link *link;
    while ((link = core_list_first(&core->pending)) != NULL) {
        core_list_remove(&core->pending, link);
        queue_run(core, CORE_OF(link, struct core_model, pending_link));
    }
}
