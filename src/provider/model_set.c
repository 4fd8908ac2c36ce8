#include "provider/model_set.h"

#include "base/log.h"
#include "base/mem.h"
#include "provider/model_store_room.h"

#include <stdlib.h>
#include <string.h>

struct member {
    struct hosted_model *model;
    bool wanted; /* here because it is in demand, not named by the owner */
    bool fresh;  /* wanted, and not cold yet since it was added */
};

/* Several models of which one is to be served. */
struct first_of {
    struct hosted_model_spec specs[MODEL_SET_FIRST_OF_MAX];
    size_t count, at;
    struct hosted_model_options options;
    struct hosted_model *model; /* the one at `at`, a member of the set; NULL: between two, or another has it */
    struct loop_timer *timer;   /* the next one, never inside an event */
    uint32_t pause_ms;          /* before all are tried again */
};

struct model_set {
    struct model_set_config config;
    struct member members[LIMIT_LINK_MODELS];
    size_t count;
    bool takes_wants;
    struct hosted_model_options want_options;
    struct first_of first_of;
    size_t open_parts; /* models that are closing, and the set itself until its own part has run */
    struct loop_deferred own_part;
    void (*on_closed)(void *context);
    void *closed_context;
};

enum { FIRST_OF_PAUSE_MIN_MS = 60 * 1000, FIRST_OF_PAUSE_MAX_MS = 30 * 60 * 1000 };

static void on_part_closed(void *context) {
    struct model_set *set = context;
    set->open_parts--;
    if (set->open_parts == 0) {
        void (*on_closed)(void *context) = set->on_closed;
        void *closed_context = set->closed_context;
        free(set);
        on_closed(closed_context);
    }
}

static void close_own_part(struct loop_deferred *deferred) {
    on_part_closed((char *)deferred - offsetof(struct model_set, own_part));
}

static void try_next(void *context);

struct model_set *model_set_new(const struct model_set_config *config) {
    struct model_set *set = MEM_NEW(struct model_set);
    set->config = *config;
    set->open_parts = 1;
    set->own_part.run = close_own_part;
    set->first_of.timer = loop_timer_new(config->loop, try_next, set);
    set->first_of.pause_ms = FIRST_OF_PAUSE_MIN_MS;
    return set;
}

static void add(struct model_set *set, const struct hosted_model_spec *spec, const struct hosted_model_options *options,
                bool wanted) {
    set->members[set->count++] =
        (struct member){.model = hosted_model_new(spec, options, set->config.events, set->config.context),
                        .wanted = wanted,
                        .fresh = wanted};
}

void model_set_add(struct model_set *set, const struct hosted_model_spec *spec,
                   const struct hosted_model_options *options) {
    add(set, spec, options, false);
}

struct hosted_model *model_set_find(const struct model_set *set, struct str id) {
    for (size_t i = 0; i < set->count; i++) {
        if (str_equal_cstr(id, hosted_model_id(set->members[i].model))) {
            return set->members[i].model;
        }
    }
    return NULL;
}

bool model_set_hopeless(const struct model_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        if (!hosted_model_hopeless(set->members[i].model)) {
            return false;
        }
    }
    return !set->takes_wants && set->first_of.count == 0;
}

/* --- Memory --- */

/* Bytes that the models hold, and what could be had back of them. `model` itself is not counted. */
struct memory_use {
    uint64_t held, unloading, idle;
};

static struct memory_use measure(const struct model_set *set, const struct hosted_model *model) {
    struct memory_use use = {0};
    for (size_t i = 0; i < set->count; i++) {
        const struct hosted_model *other = set->members[i].model;
        if (other == model || !hosted_model_holds_memory(other)) {
            continue;
        }
        uint64_t bytes = hosted_model_need_bytes(other);
        use.held += bytes;
        use.unloading += hosted_model_unloading(other) ? bytes : 0;
        use.idle += hosted_model_idle(other) ? bytes : 0;
    }
    return use;
}

static uint64_t less(uint64_t from, uint64_t what) {
    return from > what ? from - what : 0;
}

/* What the models may take beyond what they hold. Where the owner names no limit, half of what would be free without
 * them; never more than there is. Free memory of 0 is unknown. */
static uint64_t bytes_left(const struct model_set *set, const struct memory_use *use, uint64_t ram_free_bytes) {
    uint64_t limit = set->config.ram_max_bytes;
    if (ram_free_bytes == 0) {
        return limit > 0 ? less(limit, use->held) : UINT64_MAX / 2;
    }
    if (limit == 0) {
        limit = (use->held + ram_free_bytes) / 2;
    }
    uint64_t left = less(limit, use->held);
    return left < ram_free_bytes ? left : ram_free_bytes;
}

/* Without a limit of the owner's, a model that was named to be kept loaded is loaded whatever it needs, as is one
 * without a file, which needs nothing. */
static bool is_measured(const struct model_set *set, const struct hosted_model *model) {
    return set->config.ram_max_bytes > 0 || (hosted_model_on_demand(model) && hosted_model_has_file(model));
}

static struct hosted_model *least_used(const struct model_set *set, const struct hosted_model *but) {
    struct hosted_model *found = NULL;
    for (size_t i = 0; i < set->count; i++) {
        struct hosted_model *model = set->members[i].model;
        if (model != but && hosted_model_idle(model) &&
            (found == NULL || hosted_model_used_ms(model) < hosted_model_used_ms(found))) {
            found = model;
        }
    }
    return found;
}

enum model_room model_set_find_room(struct model_set *set, struct hosted_model *model, uint64_t ram_free_bytes,
                                    uint64_t *memory_limit) {
    struct memory_use use = measure(set, model);
    uint64_t left = bytes_left(set, &use, ram_free_bytes);
    uint64_t need = hosted_model_need_bytes(model);
    if (!is_measured(set, model)) {
        return MODEL_ROOM_NOW;
    }
    if (need <= left) {
        if (set->config.ram_max_bytes > 0 && (*memory_limit == 0 || *memory_limit > left)) {
            *memory_limit = left;
        }
        return MODEL_ROOM_NOW;
    }
    if (need > left + use.unloading + use.idle) {
        return MODEL_ROOM_NONE;
    }
    uint64_t coming = left + use.unloading;
    while (coming < need) {
        struct hosted_model *other = least_used(set, model);
        coming += hosted_model_need_bytes(other);
        LOG_INFO_EVENT("model.evict", LOG_TEXT("model", hosted_model_id(other)),
                       LOG_TEXT("for", hosted_model_id(model)));
        hosted_model_unload(other);
    }
    return MODEL_ROOM_SOON;
}

void model_set_on_unloaded(struct model_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        hosted_model_wake(set->members[i].model);
    }
}

size_t model_set_describe(const struct model_set *set, uint64_t ram_free_bytes, struct link_model *out) {
    for (size_t i = 0; i < set->count; i++) {
        const struct hosted_model *model = set->members[i].model;
        hosted_model_describe(model, &out[i]);
        if (out[i].state == LINK_MODEL_COLD && is_measured(set, model)) {
            struct memory_use use = measure(set, model);
            out[i].too_large =
                hosted_model_need_bytes(model) > bytes_left(set, &use, ram_free_bytes) + use.unloading + use.idle;
        }
    }
    return set->count;
}

/* --- Models that come and go --- */

static void drop(struct model_set *set, size_t index) {
    struct hosted_model *model = set->members[index].model;
    LOG_INFO_EVENT("model.dropped", LOG_TEXT("model", hosted_model_id(model)));
    set->count--;
    memmove(&set->members[index], &set->members[index + 1], (set->count - index) * sizeof(set->members[0]));
    set->open_parts++;
    hosted_model_close(model, on_part_closed, set);
}

void model_set_forget_missing(struct model_set *set) {
    for (size_t i = set->count; i-- > 0;) {
        if (hosted_model_file_gone(set->members[i].model)) {
            drop(set, i);
        }
    }
}

void model_set_allow_wants(struct model_set *set, const struct hosted_model_options *options) {
    set->takes_wants = true;
    set->want_options = *options;
    set->want_options.on_demand = true;
}

bool model_set_takes_wants(const struct model_set *set) {
    return set->takes_wants;
}

uint64_t model_set_storage_free(const struct model_set *set) {
    struct model_store_space space;
    const struct hosted_model_options *options = &set->want_options;
    if (!set->takes_wants || !model_store_measure(&space, options->model_folder, &options->room, NULL)) {
        return 0;
    }
    return space.free_bytes + space.removable_bytes;
}

static bool fetches(const struct model_set *set) {
    for (size_t i = 0; i < set->count; i++) {
        if (hosted_model_fetching(set->members[i].model)) {
            return true;
        }
    }
    return false;
}

void model_set_want(struct model_set *set, struct str id) {
    struct hosted_model *model = model_set_find(set, id);
    if (!set->takes_wants) {
        return;
    }
    if (model != NULL) {
        hosted_model_load(model);
        return;
    }
    const struct catalog_model *catalog = catalog_find(id);
    bool known = catalog != NULL && str_equal_cstr(id, catalog->id) &&
                 (catalog->sha256 != NULL || !set->want_options.needs_file);
    if (!known || set->count == LIMIT_LINK_MODELS || fetches(set)) {
        return;
    }
    struct hosted_model_spec spec = {.catalog = catalog};
    str_copy(spec.id, sizeof(spec.id), id);
    LOG_INFO_EVENT("model.wanted", LOG_TEXT("model", spec.id));
    add(set, &spec, &set->want_options, true);
}

/* --- The first of several --- */

static size_t index_of(const struct model_set *set, const struct hosted_model *model) {
    size_t index = 0;
    while (index < set->count && set->members[index].model != model) {
        index++;
    }
    return index;
}

/* The model that is tried has failed, or none is tried yet. */
static void try_next(void *context) {
    struct model_set *set = context;
    struct first_of *first = &set->first_of;
    if (first->model != NULL) {
        drop(set, index_of(set, first->model));
        first->model = NULL;
        first->at++;
    }
    if (first->at == first->count) {
        LOG_WARN_EVENT("model.none_of_several", LOG_INT("models", first->count), LOG_INT("retry_ms", first->pause_ms));
        first->at = 0;
        loop_timer_start(first->timer, first->pause_ms, 0);
        first->pause_ms = first->pause_ms >= FIRST_OF_PAUSE_MAX_MS / 2 ? FIRST_OF_PAUSE_MAX_MS : first->pause_ms * 2;
        return;
    }
    const struct hosted_model_spec *spec = &first->specs[first->at];
    if (model_set_find(set, str_from(spec->id)) != NULL || set->count == LIMIT_LINK_MODELS) {
        return;
    }
    LOG_AT(first->at > 0 ? LOG_WARN : LOG_INFO, "model.try", LOG_TEXT("model", spec->id), LOG_INT("of", first->count));
    add(set, spec, &first->options, false);
    first->model = set->members[set->count - 1].model;
}

void model_set_add_first_of(struct model_set *set, const struct hosted_model_spec *specs, size_t count,
                            const struct hosted_model_options *options) {
    struct first_of *first = &set->first_of;
    first->count = count < MODEL_SET_FIRST_OF_MAX ? count : MODEL_SET_FIRST_OF_MAX;
    memcpy(first->specs, specs, first->count * sizeof(*specs));
    first->options = *options;
    if (first->count > 0) {
        try_next(set);
    }
}

/* Whether it is the one that is tried, and failed before it ever worked. One that was loaded once is kept. */
static bool is_given_up(struct model_set *set, const struct hosted_model *model) {
    struct first_of *first = &set->first_of;
    if (first->model != model || !hosted_model_hopeless(model)) {
        return false;
    }
    loop_timer_start(first->timer, 0, 0);
    return true;
}

/* Whether any other model is loaded or about to be. */
static bool others_in_use(const struct model_set *set, const struct hosted_model *model) {
    for (size_t i = 0; i < set->count; i++) {
        const struct hosted_model *other = set->members[i].model;
        if (other != model && hosted_model_holds_memory(other)) {
            return true;
        }
    }
    return false;
}

bool model_set_on_state(struct model_set *set, struct hosted_model *model) {
    struct link_model now;
    const size_t index = index_of(set, model);
    if (is_given_up(set, model)) {
        return false;
    }
    if (index == set->count || !set->members[index].fresh) {
        return true;
    }
    hosted_model_describe(model, &now);
    if (now.state == LINK_MODEL_FAILED && !hosted_model_holds_memory(model)) {
        drop(set, index); /* the gateway asks again if the demand lasts */
        return false;
    }
    if (now.state == LINK_MODEL_COLD) {
        set->members[index].fresh = false;
        if (!others_in_use(set, model)) {
            hosted_model_load(model);
        }
    }
    return true;
}

void model_set_close(struct model_set *set, void (*on_closed)(void *context), void *context) {
    set->on_closed = on_closed;
    set->closed_context = context;
    loop_timer_free(set->first_of.timer);
    set->open_parts += set->count;
    for (size_t i = 0; i < set->count; i++) {
        hosted_model_close(set->members[i].model, on_part_closed, set);
    }
    set->count = 0;
    loop_defer(set->config.loop, &set->own_part);
}
