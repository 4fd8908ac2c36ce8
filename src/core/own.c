#include "core/own.h"

/* The account's devices with the model, as its share of it lists them. NULL: it has none. */
static const struct core_share *own_share(const struct core_generation *generation) {
    const struct core_model *model = generation->model;
    return generation->only_owner == 0 || model == NULL ? NULL : core_share_find(model, generation->only_owner);
}

bool core_own_admit(const struct core *core, const struct core_event *event, enum core_failure failure,
                    struct core_hold *hold) {
    struct core_generation wanted = {.only_owner = event->request.account};
    if (event->request.only_provider != CORE_NO_HANDLE || hold->account == NULL ||
        (event->request.key != 0 && hold->key == NULL) ||
        !core_hold_init(core, event, event->request.prompt_tokens_max, hold)) {
        return false; /* none, one that is not known, or a price without a meaning: nothing to do with money */
    }
    core_generation_describe(&wanted, core_model_find(core, event->request.model), event);
    hold->nano = 0;
    hold->own_only = true;
    hold->unpaid = failure;
    return core_place_has_hope(core, &wanted);
}

bool core_own_allows(const struct core_generation *generation, const struct core_provider *provider) {
    return generation->only_owner == 0 || generation->only_owner == provider->owner;
}

uint32_t core_own_context(const struct core_generation *generation) {
    if (generation->only_owner == 0) {
        return generation->model->context.value;
    }
    const struct core_share *share = own_share(generation);
    uint32_t most = 0;
    for (struct core_link *link = share == NULL ? NULL : core_list_first(&share->offerings); link != NULL;
         link = core_list_next(&share->offerings, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, own_link);
        most = offering->hopeful && offering->context_length > most ? offering->context_length : most;
    }
    return most > 0 ? most : generation->model->context.value;
}

size_t core_own_free(const struct core_generation *generation, struct core_offering **out, size_t most) {
    const struct core_share *share = own_share(generation);
    size_t count = 0;
    for (struct core_link *link = share == NULL ? NULL : core_list_first(&share->free); link != NULL && count < most;
         link = core_list_next(&share->free, link)) {
        out[count++] = CORE_OF(link, struct core_offering, free_link);
    }
    return count;
}

bool core_own_has_untried(const struct core_generation *generation, bool failed_ones) {
    const struct core_share *share = own_share(generation);
    const uint32_t most = share == NULL ? 0 : core_own_context(generation);
    for (struct core_link *link = share == NULL ? NULL : core_list_first(&share->offerings); link != NULL;
         link = core_list_next(&share->offerings, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, own_link);
        if (core_refusal_may_answer(generation, offering, most) &&
            (failed_ones || !core_place_was_tried(generation, offering->provider))) {
            return true;
        }
    }
    return false;
}

bool core_own_has_unasked(const struct core_generation *generation) {
    const struct core_share *share = own_share(generation);
    const uint32_t most = share == NULL ? 0 : core_own_context(generation);
    for (struct core_link *link = share == NULL ? NULL : core_list_first(&share->offerings); link != NULL;
         link = core_list_next(&share->offerings, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, own_link);
        if (core_refusal_may_answer(generation, offering, most) &&
            !core_refusal_was_by(generation, offering->provider)) {
            return true;
        }
    }
    return false;
}

bool core_own_is_self_made(const struct core_generation *generation, const struct core_provider *provider) {
    return generation->account != 0 && generation->account == provider->owner && !provider->trusted &&
           !provider->operated;
}
