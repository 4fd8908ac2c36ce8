/* What is believed of a device: as much as was measured of it, and no more than others reach. docs/PLACEMENT.md has the
 * table.
 *
 * A device that draws jobs by wonderful numbers is paid for them, so every number that a device tells or can bring
 * about (its speed, too: text that was ready before it was asked for comes as fast as the line allows) is bounded by
 * what those reach of which more is known. Trusted devices, the operator's own and those that it has verified, are
 * believed. One that has passed its first audits has settled: it may be as fast as the fastest tenth of the settled
 * ones, but not faster. One that is new is at most as fast as the half of them. Where nobody has settled, the new ones
 * are each other's measure. */
#include "core/belief.h"

#include "core/core_internal.h"
#include "core/pool.h"

#include <string.h>

enum {
    BELIEF_ONE = 1000,
    BELIEF_MOST_PERCENT = 90,
    BELIEF_PREFILL_SCALE = 8,      /* prompts are read faster than text is made: the same classes serve */
    BELIEF_EARNED_PER_SLOT = 8,    /* good generations for one slot more */
    BELIEF_EARNED_MOST = 64 * 256, /* so that a device which turns bad is not believed for long */
    BELIEF_BAD_COSTS = 16,
    BELIEF_SLOTS_MOST = 64, /* of one that is not trusted ... */
    BELIEF_SLOTS_LEAST = 8, /* ... but twice what trusted ones have, where these have the model; at least this */
    CLASS_BITS_SHIFT = 21,  /* as in pool.c */
    CLASS_BITS_LOW = (127 - 4) * 4,
};

_Static_assert((int)CORE_SPEED_CLASSES == (int)POOL_CLASSES, "classes of speed are those of the pools");

bool core_belief_is_settled(bool trusted, const struct core_record *record) {
    return trusted || record->audits >= CORE_AUDITS_FIRST;
}

static float belief_bound(const struct core_offering *offering, float per_s, float most, float usual) {
    const struct core_provider *provider = offering->provider;
    float bound = provider->settled ? most : usual;
    return provider->trusted || bound <= 0 || per_s < bound ? per_s : bound;
}

float core_belief_decode(const struct core_offering *offering, float per_s) {
    const struct core_reach *reach = &offering->model->reach;
    return belief_bound(offering, per_s, reach->decode_most, reach->decode_usual);
}

float core_belief_prefill(const struct core_offering *offering, float per_s) {
    const struct core_reach *reach = &offering->model->reach;
    return belief_bound(offering, per_s, reach->prefill_most, reach->prefill_usual);
}

uint32_t core_belief_factor(const struct core_provider *provider, uint32_t factor) {
    return provider->settled || factor < BELIEF_ONE ? factor : BELIEF_ONE;
}

unsigned core_belief_width(uint32_t slots) {
    unsigned width = 0;
    while (width + 1 < CORE_WIDTHS && slots >> (width + 1) > 0) {
        width++;
    }
    return width;
}

/* Twice the widest class of trusted devices; without any, a bound for all. */
static uint32_t belief_slots_most(const struct core_model *model) {
    for (unsigned width = CORE_WIDTHS; width > 0; width--) {
        if (model->widths[width - 1] > 0) {
            uint32_t most = 2U << width;
            return most < BELIEF_SLOTS_LEAST ? BELIEF_SLOTS_LEAST : most > BELIEF_SLOTS_MOST ? BELIEF_SLOTS_MOST : most;
        }
    }
    return BELIEF_SLOTS_MOST;
}

uint32_t core_belief_slots(const struct core_offering *offering, uint32_t claimed) {
    const struct core_provider *provider = offering->provider;
    if (provider->trusted) {
        return claimed;
    }
    uint32_t earned = provider->settled ? 1 + provider->record.earned / BELIEF_EARNED_PER_SLOT : 1;
    uint32_t most = belief_slots_most(offering->model);
    uint32_t believed = earned < most ? earned : most;
    return claimed < believed ? claimed : believed;
}

uint32_t core_belief_context(const struct core *core, const struct core_offering *offering, uint32_t claimed) {
    const struct core_provider *provider = offering->provider;
    const struct core_model *model = offering->model;
    if (provider->trusted) {
        return claimed;
    }
    uint32_t most = core_warm_context_length(core, (struct str){.data = model->id, .len = model->id_len});
    uint32_t others = provider->settled ? 0 : model->settled_context.value;
    most = others > 0 && (most == 0 || others < most) ? others : most;
    /* 0 is said by one that does not know, which elsewhere means that everything fits. */
    return most == 0 || (claimed != 0 && claimed < most) ? claimed : most;
}

uint32_t core_belief_load_ms(const struct core_offering *offering, uint32_t average_ms) {
    bool believed = offering->load_ms > 0 && (offering->provider->trusted || offering->load_ms > average_ms);
    return believed ? offering->load_ms : average_ms;
}

bool core_belief_teaches(const struct core_offering *offering) {
    const struct core_measures *measures = offering->model->measures;
    return offering->provider->settled || measures == NULL || measures->decode_count[1] == 0;
}

/* --- What others reach --- */

/* The upper end of a class of speed: no device in it is faster. */
static float class_end(unsigned class) {
    uint32_t bits = (class + 1 + CLASS_BITS_LOW) << CLASS_BITS_SHIFT;
    float speed;
    memcpy(&speed, &bits, sizeof(speed));
    return speed;
}

/* What so many percent of them do not exceed; of ten or fewer, the fastest one never counts. */
static float percentile(const uint32_t *classes, uint32_t count, unsigned percent) {
    uint64_t rank = count == 0 ? 0 : (uint64_t)(count - 1) * percent / 100, seen = 0;
    for (unsigned class = 0; count > 0 && class < CORE_SPEED_CLASSES; class ++) {
        seen += classes[class];
        if (seen > rank) {
            return class_end(class);
        }
    }
    return 0;
}

static void belief_reach(struct core_model *model) {
    const struct core_measures *measures = model->measures;
    const bool decode = measures->decode_count[1] > 0, prefill = measures->prefill_count[1] > 0;
    const uint32_t *decodes = measures->decode[decode], *prefills = measures->prefill[prefill];
    const uint32_t decode_count = measures->decode_count[decode], prefill_count = measures->prefill_count[prefill];
    model->reach = (struct core_reach){
        .decode_most = percentile(decodes, decode_count, decode ? BELIEF_MOST_PERCENT : 50),
        .decode_usual = percentile(decodes, decode_count, 50),
        .prefill_most = percentile(prefills, prefill_count, prefill ? BELIEF_MOST_PERCENT : 50) * BELIEF_PREFILL_SCALE,
        .prefill_usual = percentile(prefills, prefill_count, 50) * BELIEF_PREFILL_SCALE,
    };
}

/* Takes it out, without looking what the others reach now. */
static void belief_take_out(struct core_offering *offering) {
    struct core_measures *measures = offering->model->measures;
    const bool half = offering->measured_settled;
    if (offering->decode_class > 0) {
        measures->decode[half][offering->decode_class - 1]--;
        measures->decode_count[half]--;
    }
    if (offering->prefill_class > 0) {
        measures->prefill[half][offering->prefill_class - 1]--;
        measures->prefill_count[half]--;
    }
    offering->decode_class = offering->prefill_class = 0;
}

static uint8_t belief_class(float per_s) {
    return per_s > 0 ? (uint8_t)(core_pool_class_of(per_s) + 1) : 0;
}

void core_belief_measured(struct core_offering *offering) {
    struct core_model *model = offering->model;
    const bool half = offering->provider->settled;
    const uint8_t decode = belief_class(offering->decode_per_s);
    const uint8_t prefill = belief_class(offering->prefill_per_s / BELIEF_PREFILL_SCALE);
    if (offering->decode_class == decode && offering->prefill_class == prefill && offering->measured_settled == half) {
        return;
    }
    if (model->measures == NULL) {
        model->measures = MEM_NEW(struct core_measures);
    }
    belief_take_out(offering);
    offering->decode_class = decode;
    offering->prefill_class = prefill;
    offering->measured_settled = half;
    if (decode > 0) {
        model->measures->decode[half][decode - 1]++;
        model->measures->decode_count[half]++;
    }
    if (prefill > 0) {
        model->measures->prefill[half][prefill - 1]++;
        model->measures->prefill_count[half]++;
    }
    belief_reach(model);
}

void core_belief_forget(struct core_offering *offering) {
    if (offering->decode_class + offering->prefill_class > 0) {
        belief_take_out(offering);
        belief_reach(offering->model);
    }
}

void core_belief_earn(struct core_record *record, bool good) {
    if (good) {
        record->earned += record->earned < BELIEF_EARNED_MOST;
    } else {
        record->earned -= record->earned < BELIEF_BAD_COSTS ? record->earned : BELIEF_BAD_COSTS;
    }
}
