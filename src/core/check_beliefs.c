/* core_check for what is believed and who was given how much: every sum is that of its parts. */
#include "core/core_internal.h"

static const char *check_device(const struct core_provider *provider) {
    if (provider->settled != core_belief_is_settled(provider->trusted, &provider->record)) {
        return "a device has settled when its record says so";
    }
    return NULL;
}

/* What a model's counts must be, added up. */
struct beliefs_sums {
    uint32_t widths[CORE_WIDTHS];
    struct core_largest settled_context;
    uint32_t decode[2], prefill[2];
    size_t free, shared;
};

static void add_counted(const struct core_offering *offering, struct beliefs_sums *sums) {
    struct core_largest *largest = &sums->settled_context;
    if (!offering->counted) {
        return;
    }
    sums->widths[offering->counted_width] += offering->counted_trusted;
    if (offering->counted_settled) {
        if (offering->counted_context > largest->value || largest->count == 0) {
            *largest = (struct core_largest){.value = offering->counted_context};
        }
        largest->count += offering->counted_context == largest->value;
    }
}

static const char *check_offering(const struct core_offering *offering, struct beliefs_sums *sums) {
    const struct core_provider *provider = offering->provider;
    add_counted(offering, sums);
    sums->decode[offering->measured_settled] += offering->decode_class > 0;
    sums->prefill[offering->measured_settled] += offering->prefill_class > 0;
    sums->free += offering->pooled;
    sums->shared += offering->share != NULL;
    if ((offering->decode_class > 0 || offering->prefill_class > 0) &&
        offering->measured_settled != provider->settled) {
        return "an offering is measured among those of its kind";
    }
    if (offering->share == NULL || offering->share->owner != provider->owner) {
        return "an offering is in its owner's share";
    }
    if (core_link_is_listed(&offering->free_link) != offering->pooled) {
        return "an owner has those that are in the pools";
    }
    if (offering->counted && (offering->counted_settled != provider->settled ||
                              offering->counted_width != core_belief_width(offering->slots_claimed))) {
        return "an offering is counted as its device is believed";
    }
    return check_device(provider);
}

static const char *check_measures(const struct core_model *model, const struct beliefs_sums *sums) {
    const struct core_measures *measures = model->measures;
    for (size_t half = 0; half < 2 && measures != NULL; half++) {
        uint32_t decode = 0, prefill = 0;
        for (size_t i = 0; i < CORE_SPEED_CLASSES; i++) {
            decode += measures->decode[half][i];
            prefill += measures->prefill[half][i];
        }
        if (decode != measures->decode_count[half] || decode != sums->decode[half] ||
            prefill != measures->prefill_count[half] || prefill != sums->prefill[half]) {
            return "a model knows how fast its devices were";
        }
    }
    return NULL;
}

/* Sums of numbers that were added up in another order. */
static bool is_near(double a, double b) {
    double distance = a > b ? a - b : b - a;
    return distance <= 1e-6 * (a + b);
}

static const char *check_shares(const struct core_model *model, const struct beliefs_sums *sums) {
    const struct core_placed *placed = &model->placed;
    size_t references = 0, free = 0, free_shares = 0, idle = 0;
    double ramp = 0, all = 0;
    for (const struct core_share *share = placed->shares; share != NULL; share = (struct core_share *)share->hh.next) {
        references += share->offerings.count;
        free += share->free.count;
        free_shares += share->free.count > 0;
        idle += share->offerings.count == 0;
        all += share->placed;
        ramp += share->ramp;
        if (share->ramp < 0 || share->ramp > share->placed * (1 + 1e-9)) {
            return "what new devices were given is part of their owner's share";
        }
    }
    if (references != sums->shared || free != sums->free || free_shares != placed->free_shares.count ||
        idle != placed->idle_shares.count) {
        return "shares count their offerings";
    }
    /* Owners that were forgotten leave theirs in the sums. */
    bool within =
        (all <= placed->all || is_near(all, placed->all)) && (ramp <= placed->ramp || is_near(ramp, placed->ramp));
    return within ? NULL : "owners were given no more than was placed";
}

static const char *check_model(const struct core_model *model) {
    struct beliefs_sums sums = {0};
    const struct core_list *list = &model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const char *broken = check_offering(CORE_OF(link, struct core_offering, model_link), &sums);
        if (broken != NULL) {
            return broken;
        }
    }
    for (size_t i = 0; i < CORE_WIDTHS; i++) {
        if (sums.widths[i] != model->widths[i]) {
            return "a model knows how wide its trusted devices are";
        }
    }
    if (sums.settled_context.count != model->settled_context.count ||
        (sums.settled_context.count > 0 && sums.settled_context.value != model->settled_context.value)) {
        return "a model knows the largest context of settled devices";
    }
    const char *broken = check_measures(model, &sums);
    return broken != NULL ? broken : check_shares(model, &sums);
}

const char *core_check_beliefs(const struct core *core) {
    const char *broken = NULL;
    for (const struct core_model *model = core->models; model != NULL && broken == NULL;
         model = (const struct core_model *)model->hh.next) {
        broken = check_model(model);
    }
    return broken;
}
