/* Models by id: interned while an offering or a generation refers to them, with what the providers offer of each. */
#include "core/pool.h"

#include <string.h>

enum { OFFERED_FIRST = 16 };

bool core_model_id_is_valid(struct str id) {
    return id.len > 0 && id.len <= CORE_MODEL_ID_MAX;
}

struct core_model *core_model_find(const struct core *core, struct str id) {
    struct core_model *model = NULL;
    if (core_model_id_is_valid(id)) {
        HASH_FIND(hh, core->models, id.data, (unsigned)id.len, model);
    }
    return model;
}

struct core_model *core_model_acquire(struct core *core, struct str id) {
    struct core_model *model = core_model_find(core, id);
    if (model == NULL) {
        model = mem_calloc(1, sizeof(*model) + id.len);
        memcpy(model->id, id.data, id.len);
        model->id_len = id.len;
        core_queue_init(&model->queue);
        core_list_init(&model->offerings);
        core_shares_init(&model->placed);
        (void)core_pool_of(model, &CORE_DEMAND_ANY);
        HASH_ADD_KEYPTR(hh, core->models, model->id, (unsigned)model->id_len, model);
    }
    model->references++;
    return model;
}

void core_model_release(struct core *core, struct core_model *model) {
    if (--model->references > 0) {
        return;
    }
    if (core_link_is_listed(&model->pending_link)) {
        core_list_remove(&core->pending, &model->pending_link);
    }
    core_pools_clear(&model->pools);
    core_shares_clear(&model->placed);
    free(model->measures);
    core_queue_clear(&model->queue);
    HASH_DEL(core->models, model);
    free(model);
}

/* Keeps core->offered to the models that somebody offers. */
static void model_list_offered(struct core *core, struct core_model *model) {
    uint32_t offers = model->resting;
    for (size_t i = 0; i < COUNT_OF(model->counts); i++) {
        offers += model->counts[i];
    }
    if (offers > 0 && model->offered_position == 0) {
        if (core->offered_count == core->offered_capacity) {
            core->offered_capacity = core->offered_capacity == 0 ? OFFERED_FIRST : core->offered_capacity * 2;
            core->offered = mem_realloc(core->offered, core->offered_capacity * sizeof(struct core_model *));
        }
        core->offered[core->offered_count++] = model;
        model->offered_position = core->offered_count;
    } else if (offers == 0 && model->offered_position != 0) {
        struct core_model *last = core->offered[--core->offered_count];
        core->offered[model->offered_position - 1] = last;
        last->offered_position = model->offered_position;
        model->offered_position = 0;
    }
}

static void largest_add(struct core_largest *largest, uint32_t value) {
    if (value > largest->value || largest->count == 0) {
        *largest = (struct core_largest){.value = value};
    }
    largest->count += value == largest->value;
}

/* True: it was the last one of the largest, so all have to be added anew. */
static bool largest_take(struct core_largest *largest, uint32_t value) {
    return value == largest->value && --largest->count == 0;
}

static void model_add_context(struct core_model *model, const struct core_offering *offering) {
    largest_add(&model->context, offering->counted_context);
    if (offering->counted_settled) {
        largest_add(&model->settled_context, offering->counted_context);
    }
}

/* Anew, when the last one of the largest context has gone. */
static void model_add_contexts(struct core_model *model) {
    const struct core_list *list = &model->offerings;
    model->context = model->settled_context = (struct core_largest){0};
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        if (offering->counted) {
            model_add_context(model, offering);
        }
    }
}

void core_model_count(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    offering->counted = true;
    offering->counted_state = offering->state;
    offering->counted_context = offering->context_length;
    offering->counted_settled = offering->provider->settled;
    offering->counted_trusted = offering->provider->trusted;
    offering->counted_width = (uint8_t)core_belief_width(offering->slots_claimed);
    model->counts[offering->counted_state]++;
    model->widths[offering->counted_width] += offering->counted_trusted;
    model_add_context(model, offering);
    model_list_offered(core, model);
}

void core_model_uncount(struct core *core, struct core_offering *offering) {
    struct core_model *model = offering->model;
    offering->counted = false;
    model->counts[offering->counted_state]--;
    model->widths[offering->counted_width] -= offering->counted_trusted;
    bool again = largest_take(&model->context, offering->counted_context);
    again |= offering->counted_settled && largest_take(&model->settled_context, offering->counted_context);
    if (again) {
        model_add_contexts(model);
    }
    model_list_offered(core, model);
}

void core_model_count_resting(struct core *core, struct core_offering *offering, bool rests) {
    offering->counted_resting = rests;
    offering->model->resting += rests ? 1U : UINT32_MAX;
    model_list_offered(core, offering->model);
}

bool core_model_is_servable(const struct core_model *model) {
    return core_pool_find(model, &CORE_DEMAND_ANY)->hopeful > 0; /* every model has this pool */
}

void core_model_mark_pending(struct core *core, struct core_model *model) {
    model->queue.look_again = true;
    if (!core_link_is_listed(&model->pending_link)) {
        core_list_push_back(&core->pending, &model->pending_link);
    }
}

/* `model` is NULL for one that nobody offers. */
static enum core_availability model_availability(const struct core *core, const struct core_model *model,
                                                 struct str id) {
    if (model != NULL && model->counts[CORE_MODEL_WARM] > 0) {
        return CORE_MODEL_AVAILABLE;
    }
    bool comes = model != NULL && (model->counts[CORE_MODEL_LOADING] > 0 || model->counts[CORE_MODEL_DOWNLOADING] > 0 ||
                                   model->counts[CORE_MODEL_COLD] > 0);
    if (comes || core_warm_may_come(core, id)) {
        return CORE_MODEL_COMING;
    }
    return model != NULL && model->resting > 0 ? CORE_MODEL_RESTING : CORE_MODEL_ABSENT;
}

enum core_availability core_model_availability(const struct core *core, struct str model, uint32_t *context_length) {
    const struct core_model *found = core_model_find(core, model);
    if (context_length != NULL) {
        *context_length = found == NULL ? 0 : found->context.value;
    }
    return model_availability(core, found, model);
}

bool core_model_at(const struct core *core, size_t index, struct str *model, enum core_availability *availability,
                   uint32_t *context_length) {
    if (index >= core->offered_count) {
        return false;
    }
    const struct core_model *offered = core->offered[index];
    if (model != NULL) {
        *model = (struct str){.data = offered->id, .len = offered->id_len};
    }
    if (availability != NULL) {
        *availability = model_availability(core, offered, (struct str){.data = offered->id, .len = offered->id_len});
    }
    if (context_length != NULL) {
        *context_length = offered->context.value;
    }
    return true;
}

uint64_t core_model_ready_in_ms(const struct core *core, struct str model, uint32_t *percent) {
    return core_warm_ready_in_ms(core, core_model_find(core, model), percent);
}
