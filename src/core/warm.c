/* Warming: which models are in demand, and which idle devices are asked to load or to fetch them.
 *
 * Demand is counted when a generation has to wait or is refused, and halves in about two minutes. A WANT goes to a
 * device that has the model cold, if there is one: for it that means to load. Else to one that takes wants and has
 * room. What can be said to clients of a model that nobody can serve now follows from the same. */
#include "core/pool.h"

#include <string.h>

enum {
    WARM_MODELS_MAX = 1024,
    WARM_DECAY_MS = 120000,
    WARM_WANT_EVERY_MS = 30000, /* for a model of which as much is there, or on its way, as is asked for */
    WARM_WANT_LEAST_MS = 1000,
    WARM_DEVICE_REST_MS = 600000, /* a device is asked once in so long */
    WARM_ANSWER_MS = 60000,       /* a device that was asked to fetch says within so long that it does */
    WARM_SAMPLE = 32,             /* devices looked at for one WANT, however many there are */
    WARM_SCAN = 256,              /* offerings looked at for an estimate */
    WARM_SUCCESS_LEAST = 500,     /* thousandths */
    WARM_RETURN_GUESS_MS = 5000,  /* a provider that is restarted */
    WARM_RETURN_LEAST_MS = 1000,
    WARM_RETRY_MOST_MS = 3600000,
    WARM_BACK_MOST_MS = 60000, /* nobody is promised that a device comes back later than that */
    WARM_FORGET_MS = 600000,   /* a model without a device for so long is not expected back */
};

struct warm_model {
    UT_hash_handle hh;
    uint64_t file_bytes, ram_bytes; /* 0: the catalog does not know it */
    uint32_t context_length;        /* likewise */
    double demand;                  /* as of demand_ms */
    uint64_t demand_ms;
    uint64_t wanted_ms; /* when it was last asked for, plus 1; 0: never */
    uint64_t gone_ms;   /* when its last device went, plus 1; 0: one is there, or none ever was */
    uint64_t return_ms; /* how long such a gap lasts, smoothed; 0: none has ended yet */
    size_t id_len;
    char id[];
};

struct core_warm {
    struct warm_model *models; /* uthash, by id */
};

static struct warm_model *warm_find(const struct core *core, struct str id) {
    struct warm_model *model = NULL;
    if (core->warm != NULL && core_model_id_is_valid(id)) {
        HASH_FIND(hh, core->warm->models, id.data, (unsigned)id.len, model);
    }
    return model;
}

/* NULL when the table is full. */
static struct warm_model *warm_make(struct core *core, struct str id) {
    struct warm_model *model = warm_find(core, id);
    if (model != NULL || !core_model_id_is_valid(id)) {
        return model;
    }
    if (core->warm == NULL) {
        core->warm = MEM_NEW(struct core_warm);
    }
    if (HASH_COUNT(core->warm->models) >= WARM_MODELS_MAX) {
        return NULL;
    }
    model = mem_calloc(1, sizeof(*model) + id.len);
    memcpy(model->id, id.data, id.len);
    model->id_len = id.len;
    model->demand_ms = core->now_ms;
    HASH_ADD_KEYPTR(hh, core->warm->models, model->id, (unsigned)model->id_len, model);
    return model;
}

void core_warm_facts(struct core *core, const struct core_event *event) {
    struct warm_model *model = warm_make(core, event->model.model);
    if (model != NULL) {
        model->file_bytes = event->model.file_bytes;
        model->ram_bytes = event->model.ram_bytes;
        model->context_length = event->model.context_length;
    }
}

void core_warm_turned(struct core *core, const struct core_model *model, bool servable) {
    struct warm_model *seen = warm_make(core, (struct str){.data = model->id, .len = model->id_len});
    if (seen == NULL) {
        return;
    }
    if (!servable) {
        seen->gone_ms = core->now_ms + 1;
    } else if (seen->gone_ms != 0) {
        uint64_t gap_ms = core->now_ms - (seen->gone_ms - 1);
        seen->return_ms = seen->return_ms == 0 ? gap_ms : (3 * seen->return_ms + gap_ms) / 4;
        seen->gone_ms = 0;
    }
}

uint64_t core_warm_back_in_ms(const struct core *core, struct str id) {
    const struct warm_model *seen = warm_find(core, id);
    if (seen == NULL || seen->gone_ms == 0 || core->now_ms - (seen->gone_ms - 1) >= WARM_FORGET_MS) {
        return UINT64_MAX;
    }
    uint64_t away_ms = core->now_ms - (seen->gone_ms - 1);
    uint64_t expected_ms = seen->return_ms == 0 ? WARM_RETURN_GUESS_MS : seen->return_ms;
    /* Longer away than expected: as long again as half of that. */
    uint64_t left_ms = expected_ms > away_ms ? expected_ms - away_ms : away_ms / 2;
    return left_ms < WARM_RETURN_LEAST_MS ? WARM_RETURN_LEAST_MS : left_ms;
}

void core_warm_clear(struct core *core) {
    if (core->warm == NULL) {
        return;
    }
    struct warm_model *model = core->warm->models;
    HASH_CLEAR(hh, core->warm->models); /* frees the table; the models are still chained */
    while (model != NULL) {
        struct warm_model *next = (struct warm_model *)model->hh.next;
        free(model);
        model = next;
    }
    free(core->warm);
    core->warm = NULL;
}

static bool warm_rests(const struct core *core, const struct core_provider *provider) {
    return provider->wanted_ms != 0 && core->now_ms - (provider->wanted_ms - 1) < WARM_DEVICE_REST_MS;
}

/* The best of a sample of those on this side that have nothing to do. */
static struct core_provider *warm_pick_side(struct core *core, const struct core_pool *pool, enum core_pool_side side) {
    struct core_offering *cold[WARM_SAMPLE];
    size_t count = core_pool_sample(pool, side, 0, POOL_CONTEXTS, &core->random, cold, WARM_SAMPLE);
    for (size_t i = 0; i < count; i++) { /* the fastest ones come first */
        struct core_provider *provider = cold[i]->provider;
        if (provider->active == 0 && !warm_rests(core, provider)) {
            return provider;
        }
    }
    return NULL;
}

/* Of those that have it cold; new ones only when nobody else does. */
static struct core_provider *warm_pick_cold(struct core *core, const struct core_model *model) {
    const struct core_pool *pool = model == NULL ? NULL : core_pool_find(model, &CORE_DEMAND_ANY);
    struct core_provider *provider = pool == NULL ? NULL : warm_pick_side(core, pool, POOL_COLD);
    return provider != NULL || pool == NULL ? provider : warm_pick_side(core, pool, POOL_NEW_COLD);
}

/* Whether it may be asked to fetch the model, now or when it is idle: it does not have it, has room, and its owner lets
 * it. */
static bool warm_is_fit(const struct core_provider *provider, const struct warm_model *want,
                        const struct core_model *model) {
    const struct core_device_state *device = &provider->device;
    bool fit = device->takes_wants && !device->paused && device->heat == CORE_HEAT_NOMINAL &&
               (device->charging || device->battery_percent < 0);
    return fit && !provider->quarantined && !provider->draining && !provider->silent &&
           provider->record.success >= WARM_SUCCESS_LEAST && device->storage_free_bytes >= want->file_bytes &&
           provider->ram_bytes >= want->ram_bytes && (model == NULL || core_offering_find(provider, model) == NULL);
}

/* It fetches something, and gets on with it. */
static bool warm_fetches(const struct core_provider *provider) {
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->listed && offering->state == CORE_MODEL_DOWNLOADING) {
            return true;
        }
    }
    return false;
}

void core_warm_set_wanter(struct core *core, struct core_provider *provider, bool wanter) {
    bool listed = core_link_is_listed(&provider->wanter_link);
    if (wanter && !listed) {
        core_list_push_back(&core->wanters, &provider->wanter_link);
    } else if (!wanter && listed) {
        core_list_remove(&core->wanters, &provider->wanter_link);
    }
}

uint64_t core_warm_file_bytes(const struct core *core, struct str id) {
    const struct warm_model *facts = warm_find(core, id);
    return facts == NULL ? 0 : facts->file_bytes;
}

uint32_t core_warm_context_length(const struct core *core, struct str id) {
    const struct warm_model *facts = warm_find(core, id);
    return facts == NULL ? 0 : facts->context_length;
}

/* One that was asked and does nothing is not asked again for a while, and does not count either. */
bool core_warm_may_come(const struct core *core, struct str id) {
    const struct warm_model *want = warm_find(core, id);
    const struct core_model *model = core_model_find(core, id);
    if (want == NULL || want->file_bytes == 0) {
        return false;
    }
    if (want->wanted_ms != 0 && core->now_ms - (want->wanted_ms - 1) < WARM_ANSWER_MS) {
        return true;
    }
    const struct core_list *list = &core->wanters;
    size_t left = WARM_SCAN;
    for (struct core_link *link = core_list_first(list); link != NULL && left > 0;
         link = core_list_next(list, link), left--) {
        const struct core_provider *provider = CORE_OF(link, struct core_provider, wanter_link);
        if (warm_is_fit(provider, want, model) && (!warm_rests(core, provider) || warm_fetches(provider))) {
            return true;
        }
    }
    return false;
}

/* In whole seconds. */
static uint64_t warm_retry_ms(uint64_t wait_ms) {
    return wait_ms >= WARM_RETRY_MOST_MS ? WARM_RETRY_MOST_MS : (wait_ms + 999) / 1000 * 1000;
}

enum core_failure core_warm_failure(const struct core *core, struct str id, uint64_t *retry_after_ms) {
    const struct core_model *model = core_model_find(core, id);
    uint64_t back_ms = core_warm_back_in_ms(core, id);
    switch (core_model_availability(core, id, NULL)) {
    case CORE_MODEL_AVAILABLE:
    case CORE_MODEL_COMING: {
        uint64_t ready_ms = core_warm_ready_in_ms(core, model, NULL);
        ready_ms = back_ms < ready_ms ? back_ms : ready_ms;
        bool known = ready_ms > 0 && ready_ms != UINT64_MAX;
        *retry_after_ms = known ? warm_retry_ms(ready_ms) : (uint64_t)core->config.warming_retry_s * 1000;
        return CORE_FAILURE_WARMING;
    }
    case CORE_MODEL_RESTING:
        *retry_after_ms = 0;
        return CORE_FAILURE_RESTING;
    case CORE_MODEL_ABSENT:
        break;
    }
    bool left = model == NULL || model->offered_position == 0; /* nobody is there who could not make it work, either */
    *retry_after_ms = left && back_ms <= WARM_BACK_MOST_MS ? warm_retry_ms(back_ms) : 0;
    return CORE_FAILURE_UNSERVED;
}

/* Whether it may be asked to fetch the model: it does not have it, has room, and nothing speaks against it now. */
static bool warm_may_fetch(const struct core *core, const struct core_provider *provider, const struct warm_model *want,
                           const struct core_model *model) {
    return warm_is_fit(provider, want, model) && !core_deadline_is_set(&provider->cooldown) && provider->active == 0 &&
           !warm_rests(core, provider);
}

static struct core_provider *warm_pick_fetcher(struct core *core, const struct warm_model *want,
                                               const struct core_model *model) {
    struct core_provider *best = NULL;
    uint64_t best_value = 0;
    size_t used = core->providers.used, tries = used < WARM_SAMPLE ? used : WARM_SAMPLE;
    if (want->file_bytes == 0 || used == 0) {
        return NULL;
    }
    size_t start = (size_t)random_below(&core->random, used);
    for (size_t i = 0; i < tries; i++) {
        size_t index = used <= WARM_SAMPLE ? (start + i) % used : (size_t)random_below(&core->random, used);
        struct core_provider *provider = (struct core_provider *)core_handles_at(&core->providers, index);
        if (provider == NULL || !warm_may_fetch(core, provider, want, model)) {
            continue;
        }
        /* One that is new has not failed yet, which says little. */
        uint64_t value = provider->settled ? (uint64_t)provider->record.success * (provider->record.uptime + 1) : 0;
        if (best == NULL || value > best_value) {
            best = provider;
            best_value = value;
        }
    }
    return best;
}

/* The more is asked for than is there or on its way, the sooner comes the next one. */
static uint64_t warm_interval_ms(const struct warm_model *want, const struct core_model *model) {
    double supply = 1.0;
    if (model != NULL) {
        supply += model->counts[CORE_MODEL_WARM];
        supply += model->counts[CORE_MODEL_LOADING];
        supply += model->counts[CORE_MODEL_DOWNLOADING];
    }
    double interval_ms = WARM_WANT_EVERY_MS * supply / (supply + want->demand);
    return interval_ms > WARM_WANT_LEAST_MS ? (uint64_t)interval_ms : WARM_WANT_LEAST_MS;
}

void core_warm_demand(struct core *core, struct str id) {
    const struct core_model *model = core_model_find(core, id);
    bool offered = model != NULL && model->offered_position != 0;
    /* Any name may be asked for; only those that a device or the catalog knows are remembered. */
    struct warm_model *want = offered ? warm_make(core, id) : warm_find(core, id);
    if (want == NULL) {
        return;
    }
    double elapsed = (double)(core->now_ms - want->demand_ms);
    want->demand = want->demand * WARM_DECAY_MS / (WARM_DECAY_MS + elapsed) + 1;
    want->demand_ms = core->now_ms;
    if (want->wanted_ms != 0 && core->now_ms - (want->wanted_ms - 1) < warm_interval_ms(want, model)) {
        return;
    }
    struct core_provider *provider = warm_pick_cold(core, model);
    if (provider == NULL) {
        provider = warm_pick_fetcher(core, want, model);
    }
    if (provider == NULL) {
        return;
    }
    want->wanted_ms = provider->wanted_ms = core->now_ms + 1;
    struct core_effect *effect = core_effect_add(core, CORE_EFFECT_WANT);
    effect->provider = provider->handle;
    effect->user = provider->user;
    effect->want.model = (struct str){.data = want->id, .len = want->id_len};
}

static uint64_t warm_left_ms(const struct core *core, const struct core_offering *offering, uint64_t file_bytes,
                             uint32_t *percent) {
    uint64_t load_ms = core_place_load_ms(core, offering);
    uint64_t elapsed_ms = core->now_ms - offering->state_ms;
    *percent = 0;
    switch (offering->state) {
    case CORE_MODEL_WARM:
        return 0;
    case CORE_MODEL_LOADING: /* longer than ever: it may be done any moment */
        *percent = elapsed_ms < load_ms ? (uint32_t)(elapsed_ms * 100 / load_ms) : 99;
        return elapsed_ms < load_ms ? load_ms - elapsed_ms : 1;
    case CORE_MODEL_COLD:
        return offering->too_large ? UINT64_MAX : load_ms;
    case CORE_MODEL_DOWNLOADING:
        if (file_bytes > 0 && offering->bytes_left <= file_bytes) {
            *percent = (uint32_t)((file_bytes - offering->bytes_left) / (file_bytes / 100 + 1));
        }
        return offering->bytes_per_s == 0 ? UINT64_MAX : offering->bytes_left / offering->bytes_per_s * 1000 + load_ms;
    case CORE_MODEL_FAILED:
        break;
    }
    return UINT64_MAX;
}

uint64_t core_warm_ready_in_ms(const struct core *core, const struct core_model *model, uint32_t *percent) {
    uint64_t best_ms = UINT64_MAX;
    uint32_t best_percent = 0;
    if (model != NULL && model->counts[CORE_MODEL_WARM] > 0) {
        best_ms = 0;
        best_percent = 100;
    } else if (model != NULL) {
        const struct warm_model *facts = warm_find(core, (struct str){.data = model->id, .len = model->id_len});
        const struct core_list *list = &model->offerings;
        size_t left = WARM_SCAN;
        for (struct core_link *link = core_list_first(list); link != NULL && left > 0;
             link = core_list_next(list, link), left--) {
            const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
            uint32_t made = 0;
            uint64_t ms = offering->counted ? warm_left_ms(core, offering, facts == NULL ? 0 : facts->file_bytes, &made)
                                            : UINT64_MAX;
            best_ms = ms < best_ms ? ms : best_ms;
            best_percent = made > best_percent ? made : best_percent;
        }
    }
    if (percent != NULL) {
        *percent = best_percent;
    }
    return best_ms;
}
