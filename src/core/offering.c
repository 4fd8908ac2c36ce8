/* One model on one provider: which of its model's two lists it is in, and what it adds to the model's counts. */
#include "core/core_internal.h"

struct core_offering *core_offering_new(struct core *core, struct core_provider *provider, struct str model) {
    struct core_offering *offering = MEM_NEW(struct core_offering);
    offering->provider = provider;
    offering->model = core_model_acquire(core, model);
    core_list_push_back(&provider->offerings, &offering->provider_link);
    core_list_push_back(&offering->model->busy, &offering->model_link);
    return offering;
}

static void offering_free(struct core *core, struct core_offering *offering) {
    core_list_remove(&offering->provider->offerings, &offering->provider_link);
    core_list_remove(offering->ready ? &offering->model->ready : &offering->model->busy, &offering->model_link);
    core_model_release(core, offering->model);
    free(offering);
}

struct core_offering *core_offering_find(const struct core_provider *provider, const struct core_model *model) {
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->model == model) {
            return offering;
        }
    }
    return NULL;
}

bool core_offering_is_ready(const struct core_offering *offering) {
    const struct core_provider *provider = offering->provider;
    return offering->listed && offering->state == CORE_MODEL_WARM && offering->active < offering->slots &&
           !provider->draining && !core_deadline_is_set(&provider->cooldown);
}

void core_offering_sort(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    bool ready = core_offering_is_ready(offering);
    if (ready == offering->ready) {
        return; /* a further free slot changes nothing: whoever waits in spite of the others has tried this provider */
    }
    core_list_remove(offering->ready ? &model->ready : &model->busy, &offering->model_link);
    core_list_push_back(ready ? &model->ready : &model->busy, &offering->model_link);
    offering->ready = ready;
    if (ready && model->queue.count > 0) {
        core_model_mark_pending(core, model);
    }
}

void core_offering_refresh(struct core *core, struct core_offering *offering) {
    bool counts = offering->listed && !offering->provider->draining;
    bool same = counts == offering->counted && (!counts || (offering->counted_state == offering->state &&
                                                            offering->counted_context == offering->context_length));
    if (!same) {
        if (offering->counted) {
            core_model_uncount(core, offering);
        }
        if (counts) {
            core_model_count(core, offering);
        }
    }
    core_offering_sort(core, offering);
}

void core_offering_unlist(struct core *core, struct core_offering *offering) {
    offering->listed = false;
    core_offering_refresh(core, offering);
    if (offering->active == 0) {
        offering_free(core, offering);
    }
}

void core_offering_free_slot(struct core *core, struct core_offering *offering) {
    offering->active--;
    if (offering->active == 0 && !offering->listed) {
        offering_free(core, offering);
    } else {
        core_offering_sort(core, offering);
    }
}
