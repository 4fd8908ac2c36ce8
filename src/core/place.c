/* Placement: which provider gets a job. */
#include "core/core_internal.h"

bool core_place_was_tried(const struct core_job *job, const struct core_provider *provider) {
    for (uint32_t i = 0; i < job->attempts; i++) {
        if (job->tried[i] == provider->handle) {
            return true;
        }
    }
    return false;
}

/* active/slots of a against that of b, without rounding. */
static int place_compare_load(const struct core_offering *a, const struct core_offering *b) {
    uint64_t left = (uint64_t)a->active * b->slots, right = (uint64_t)b->active * a->slots;
    return (left > right) - (left < right);
}

struct core_offering *core_place(struct core *core, const struct core_model *model, const struct core_job *job) {
    struct core_offering *best = NULL;
    uint64_t equals = 0; /* how many are as good as the best */
    const struct core_list *list = &model->ready;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (core_place_was_tried(job, offering->provider)) {
            continue;
        }
        int order = best == NULL ? -1 : place_compare_load(offering, best);
        if (order < 0) {
            best = offering;
            equals = 1;
        } else if (order == 0 && random_below(&core->random, ++equals) == 0) {
            best = offering; /* each of the equals ends up chosen with the same chance */
        }
    }
    return best;
}
