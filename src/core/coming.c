#include "core/coming.h"

#include "core/core_internal.h"

/* A device that says for ever that a model is on its way would have clients wait and come again in vain; so what counts
 * is that it gets somewhere.
 *
 * A download must have begun within half an hour (others of the device may come first), and then come by a hundredth of
 * the file every five minutes, beyond all that was there before; so the slowest one that counts takes some eight hours.
 * Loading counts for ten minutes, from its first try until the model was warm. What counts no more is as good as
 * failed, until it moves on. */

enum {
    COMING_BEGIN_MS = 30 * 60 * 1000,
    COMING_STALL_MS = 5 * 60 * 1000,
    COMING_LOAD_MS = 10 * 60 * 1000,
    COMING_PARTS = 100,
};

static bool fetch_gets_on(const struct core *core, struct core_coming *coming, const struct core_offer *offer) {
    uint64_t size = core_warm_file_bytes(core, offer->model);
    size = size > 0 ? size : offer->bytes_total;
    uint64_t done = offer->bytes_total > offer->bytes_left ? offer->bytes_total - offer->bytes_left : 0;
    done = done < size ? done : size;
    if (coming->fetch_ms == 0 || done >= coming->fetched_bytes + size / COMING_PARTS + 1) {
        coming->fetch_ms = core->now_ms + 1;
        coming->fetched_bytes = done;
    }
    uint64_t most_ms = coming->fetched_bytes > 0 ? COMING_STALL_MS : COMING_BEGIN_MS;
    return core->now_ms + 1 - coming->fetch_ms < most_ms;
}

static bool load_gets_on(const struct core *core, struct core_coming *coming) {
    if (coming->load_ms == 0) {
        coming->load_ms = core->now_ms + 1;
    }
    return core->now_ms + 1 - coming->load_ms < COMING_LOAD_MS;
}

enum core_model_state core_coming_state(const struct core *core, struct core_offering *offering,
                                        const struct core_offer *offer) {
    struct core_coming *coming = &offering->coming;
    bool gets_on = true;
    switch (offer->state) {
    case CORE_MODEL_DOWNLOADING:
        gets_on = fetch_gets_on(core, coming, offer);
        coming->load_ms = gets_on ? 0 : coming->load_ms; /* the file comes first */
        break;
    case CORE_MODEL_LOADING:
        gets_on = load_gets_on(core, coming);
        break;
    case CORE_MODEL_WARM:
        *coming = (struct core_coming){0};
        break;
    case CORE_MODEL_FAILED:
    case CORE_MODEL_COLD:
        break;
    }
    return gets_on ? offer->state : CORE_MODEL_FAILED;
}
