/* core_check for offerings and pools: each is where its gate and its speed put it. */
#include "core/pool.h"

static const char *check_place(const struct core_offering *offering, const struct core_pool_place *place) {
    const struct core_pools *pools = &offering->model->pools;
    if (place->pool > pools->count || !core_demand_admits(&pools->items[place->pool - 1].demand, offering)) {
        return "an offering is in pools that admit it";
    }
    const struct core_pool_shelf *shelf = pools->items[place->pool - 1].shelves[offering->shelf];
    if (offering->pooled && (shelf == NULL || place->position >= shelf->classes[offering->class].count ||
                             shelf->classes[offering->class].items[place->position].offering != offering)) {
        return "an offering is where its pool has it";
    }
    return NULL;
}

static const char *check_offering(const struct core_offering *offering) {
    if (offering->gate != core_offering_gate(offering)) {
        return "an offering shows the gate that keeps jobs out";
    }
    if (offering->pooled != (offering->gate == CORE_GATE_NONE)) {
        return "an offering is in the pools if and only if nothing keeps jobs out";
    }
    if (offering->pooled && offering->shelf != core_pool_shelf_of(offering)) {
        return "an offering is on the shelf of its state and context";
    }
    size_t admitting = 0, joined = 0;
    for (size_t i = 0; i < offering->model->pools.count; i++) {
        admitting += core_demand_admits(&offering->model->pools.items[i].demand, offering);
    }
    for (size_t i = 0; i < CORE_POOLS_PER_OFFERING && offering->places[i].pool != 0; i++) {
        const char *broken = check_place(offering, &offering->places[i]);
        if (broken != NULL) {
            return broken;
        }
        joined++;
    }
    return admitting == joined ? NULL : "an offering is in all pools that admit it";
}

static const char *check_pool(const struct core_model *model, const struct core_pool *pool) {
    size_t ready = 0, hopeful = 0, settled = 0, shelved = 0;
    const struct core_list *list = &model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        bool admitted = core_demand_admits(&pool->demand, offering);
        ready += admitted && offering->pooled;
        hopeful += admitted && offering->hopeful;
        settled += admitted && offering->hopeful && offering->provider->settled;
    }
    for (size_t i = 0; i < POOL_SHELVES; i++) {
        const struct core_pool_shelf *shelf = pool->shelves[i];
        for (size_t j = 0; shelf != NULL && j < POOL_CLASSES; j++) {
            shelved += shelf->classes[j].count;
            if ((shelf->classes[j].count > 0) != ((shelf->filled >> j & 1) != 0)) {
                return "a shelf knows its filled classes";
            }
        }
    }
    bool whole = ready == shelved && hopeful == pool->hopeful && settled == pool->hopeful_settled;
    return whole ? NULL : "a pool has its offerings, and counts the hopeful ones";
}

static const char *check_model(const struct core_model *model) {
    uint32_t gated[CORE_GATE_COUNT] = {0};
    uint64_t slots = 0;
    const struct core_list *list = &model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        const char *broken = check_offering(offering);
        if (broken != NULL) {
            return broken;
        }
        gated[offering->gate]++;
        slots += core_offering_serves(offering) && offering->state == CORE_MODEL_WARM ? offering->slots : 0;
    }
    for (size_t i = 0; i < COUNT_OF(gated); i++) {
        if (gated[i] != model->gated[i]) {
            return "a model counts its offerings by gate";
        }
    }
    if (slots != model->serving_slots) {
        return "a model counts the slots that serve it";
    }
    const char *broken = NULL;
    for (size_t i = 0; i < model->pools.count && broken == NULL; i++) {
        broken = check_pool(model, &model->pools.items[i]);
    }
    return broken;
}

static const char *check_busy(const struct core *core) {
    for (size_t i = 0; i < core->providers.used; i++) {
        const struct core_provider *provider = (const struct core_provider *)core_handles_at(&core->providers, i);
        if (provider != NULL && provider->active != provider->attempts.count + provider->ghosts.count) {
            return "a provider counts its attempts and ghosts";
        }
    }
    return NULL;
}

const char *core_check_places(const struct core *core) {
    const char *broken = check_busy(core);
    for (const struct core_model *model = core->models; model != NULL && broken == NULL;
         model = (const struct core_model *)model->hh.next) {
        broken = check_model(model);
    }
    return broken;
}
