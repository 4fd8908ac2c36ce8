/* core_check: what must hold between two steps. Each rule is one function that gives NULL or the broken rule's name. */
#include "core/core_internal.h"

static size_t list_length(const struct core_list *list) {
    size_t length = 0;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        length++;
    }
    return length;
}

static bool generation_knows_attempt(const struct core_generation *generation) {
    const struct core_attempt *attempt = generation->attempt;
    return attempt->generation == generation && attempt->generation_handle == generation->handle &&
           attempt->provider_handle == generation->tried[generation->tried_count - 1] &&
           attempt->number == generation->attempts;
}

static bool generation_is_within_bounds(const struct core *core, const struct core_generation *generation) {
    return generation->round <= core->config.max_attempts && generation->tried_count <= CORE_TRIED_MAX &&
           generation->part_count <= CORE_PARTS_MAX;
}

static const char *check_generation(const struct core *core, const struct core_generation *generation) {
    if (core_handles_get(&core->generations, generation->handle) != generation) {
        return "a job has its own handle";
    }
    if (!generation_is_within_bounds(core, generation)) {
        return "a job has no more attempts and parts than allowed";
    }
    bool settling = generation->state == CORE_GENERATION_SETTLING;
    if (core_deadline_is_set(&generation->deadline) == settling ||
        generation->deadline.kind != CORE_DEADLINE_GENERATION) {
        return "a job has a deadline unless it is being settled";
    }
    if (generation->state != CORE_GENERATION_CANCELLING && !settling &&
        generation->deadline.due_ms > core_generation_whole_due_ms(generation)) {
        return "no phase ends after the whole deadline";
    }
    bool alone =
        generation->state == CORE_GENERATION_QUEUED || generation->state == CORE_GENERATION_BACKOFF || settling;
    if (alone != (generation->attempt == NULL)) {
        return "a job has an attempt unless it waits or is being settled";
    }
    if (!alone && !generation_knows_attempt(generation)) {
        return "a job and its attempt know each other";
    }
    if (generation->state == CORE_GENERATION_STREAMING && !generation->accepted) {
        return "a streaming job has been accepted";
    }
    return NULL;
}

/* All generations in `list`, which is the list of `state` (and of `model` for QUEUED). */
static const char *check_generation_list(const struct core *core, const struct core_list *list,
                                         enum core_generation_state state, const struct core_model *model,
                                         size_t *seen) {
    if (list_length(list) != list->count) {
        return "a list of jobs has its length";
    }
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_generation *generation = CORE_OF(link, struct core_generation, link);
        if (generation->state != state || (model != NULL && generation->model != model)) {
            return "a job is in the list of its state";
        }
        const char *broken = check_generation(core, generation);
        if (broken != NULL) {
            return broken;
        }
        ++*seen;
    }
    return NULL;
}

/* One that waits for a device that has settled leaves new ones free, for a while. */
static bool waits_for_settled(const struct core_generation *generation, const struct core_offering *offering) {
    return generation->patience_ms != 0 && !offering->provider->settled;
}

/* No generation of the list waits for a warm device that is free. */
static const char *check_waiting_list(const struct core *core, const struct core_model *model,
                                      const struct core_list *generations) {
    for (struct core_link *j = core_list_first(generations); j != NULL; j = core_list_next(generations, j)) {
        const struct core_generation *generation = CORE_OF(j, struct core_generation, link);
        if (!core_queue_budget_allows(core, generation)) {
            continue;
        }
        const struct core_list *all = &model->offerings;
        for (struct core_link *o = core_list_first(all); o != NULL; o = core_list_next(all, o)) {
            const struct core_offering *offering = CORE_OF(o, struct core_offering, model_link);
            if (offering->state == CORE_MODEL_WARM && core_place_gate(generation, offering) == CORE_GATE_NONE &&
                !waits_for_settled(generation, offering)) {
                return "no job waits while a device is free that it may go to";
            }
        }
    }
    return NULL;
}

/* The generations of one list of a model's queue. */
static const char *check_queue_list(const struct core *core, const struct core_model *model,
                                    const struct core_list *generations, const struct core_turn *turn, size_t *seen) {
    const char *broken = check_generation_list(core, generations, CORE_GENERATION_QUEUED, model, seen);
    if (broken == NULL && !core_deadline_is_set(&model->queue.deadline)) { /* else it will be looked at */
        broken = check_waiting_list(core, model, generations);
    }
    for (struct core_link *link = core_list_first(generations); broken == NULL && link != NULL;
         link = core_list_next(generations, link)) {
        const struct core_generation *generation = CORE_OF(link, struct core_generation, link);
        if (generation->turn != turn || generation->started != (turn == NULL) ||
            (turn != NULL && generation->account != turn->account)) {
            broken = "a job waits in its account's turn, or among those that have begun";
        }
    }
    return broken;
}

static const char *check_queue(const struct core *core, const struct core_model *model, size_t *queued) {
    const struct core_queue *queue = &model->queue;
    size_t seen = 0, empty = 0;
    const char *broken = check_queue_list(core, model, &queue->begun, NULL, &seen);
    for (struct core_link *link = core_list_first(&queue->turns); broken == NULL && link != NULL;
         link = core_list_next(&queue->turns, link)) {
        const struct core_turn *turn = CORE_OF(link, struct core_turn, link);
        empty += turn->again.count + turn->generations.count == 0;
        broken = empty > 1 ? "an account in the line has jobs, but for the last that had some"
                           : check_queue_list(core, model, &turn->again, turn, &seen);
        broken = broken != NULL ? broken : check_queue_list(core, model, &turn->generations, turn, &seen);
    }
    if (broken != NULL) {
        return broken;
    }
    if (seen != queue->count || HASH_COUNT(queue->by_account) != queue->turns.count) {
        return "a queue counts its jobs and accounts";
    }
    *queued += seen;
    bool more = queue->look_again || queue->fed || queue->in_round || queue->due.count > 0;
    return more != core_deadline_is_set(&queue->deadline) ? "a queue with more to look at has a time for it" : NULL;
}

struct model_sums {
    size_t offerings;
    uint32_t counts[CORE_MODEL_STATE_COUNT];
    uint32_t counted, resting, context_length, context_count;
};

static const char *check_offering(const struct core_model *model, const struct core_offering *offering) {
    if (offering->model != model) {
        return "an offering is in the list of its model";
    }
    bool offers = offering->listed && !offering->provider->draining, rests = core_offering_rests(offering);
    if (offering->counted != (offers && !rests) || offering->counted_resting != (offers && rests) ||
        (offering->counted &&
         (offering->counted_state != offering->state || offering->counted_context != offering->context_length))) {
        return "an offering is counted as it is";
    }
    return NULL;
}

static const char *check_model_offerings(const struct core_model *model, struct model_sums *sums) {
    const struct core_list *list = &model->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, model_link);
        const char *broken = check_offering(model, offering);
        if (broken != NULL) {
            return broken;
        }
        sums->offerings++;
        sums->resting += offering->counted_resting;
        if (offering->counted) {
            sums->counted++;
            sums->counts[offering->state]++;
            if (offering->context_length > sums->context_length || sums->context_count == 0) {
                sums->context_length = offering->context_length;
                sums->context_count = 0;
            }
            sums->context_count += offering->context_length == sums->context_length;
        }
    }
    return NULL;
}

static const char *check_model(const struct core *core, const struct core_model *model) {
    struct model_sums sums = {0};
    const char *broken = check_model_offerings(model, &sums);
    if (broken != NULL) {
        return broken;
    }
    if (sums.offerings != model->offerings.count) {
        return "a model's list has its length";
    }
    for (size_t i = 0; i < COUNT_OF(sums.counts); i++) {
        if (sums.counts[i] != model->counts[i]) {
            return "a model counts its offerings by state";
        }
    }
    if (sums.context_count != model->context.count ||
        (sums.context_count > 0 && sums.context_length != model->context.value)) {
        return "a model knows the largest context";
    }
    size_t position = model->offered_position;
    if (sums.resting != model->resting || (position != 0) != (sums.counted + sums.resting > 0) ||
        (position != 0 && (position > core->offered_count || core->offered[position - 1] != model))) {
        return "what somebody offers is in the list of models";
    }
    return NULL;
}

/* The counts that the retry budget goes by. */
static const char *check_retries(const struct core *core) {
    size_t fresh = 0, retrying = 0;
    for (size_t i = 0; i < core->generations.used; i++) {
        const struct core_generation *generation =
            (const struct core_generation *)core_handles_at(&core->generations, i);
        if (generation != NULL && !generation->started && generation->state != CORE_GENERATION_CANCELLING &&
            generation->state != CORE_GENERATION_SETTLING) {
            fresh++;
            retrying += generation->attempt != NULL && generation->round > 1;
        }
    }
    return fresh == core->fresh && retrying == core->retrying ? NULL : "the retry budget counts the jobs as they are";
}

static const char *check_generations_and_models(const struct core *core) {
    size_t generations = 0, queued = 0, references = 0, offered = 0;
    for (const struct core_model *model = core->models; model != NULL;
         model = (const struct core_model *)model->hh.next) {
        const char *broken = check_model(core, model);
        if (broken == NULL) {
            broken = check_queue(core, model, &queued);
        }
        if (broken != NULL) {
            return broken;
        }
        references += model->references - model->offerings.count;
        offered += model->offered_position != 0;
    }
    for (int state = CORE_GENERATION_BACKOFF; state < CORE_GENERATION_STATE_COUNT; state++) {
        const char *broken =
            check_generation_list(core, &core->stages[state], (enum core_generation_state)state, NULL, &generations);
        if (broken != NULL) {
            return broken;
        }
    }
    if (queued != core->queued || offered != core->offered_count || core->pending.count != 0) {
        return "the totals are those of the models";
    }
    if (generations + queued != core->generations.count || core->generations.count > core->config.max_generations) {
        return "every job is in one list, and they are within max_jobs";
    }
    return references == core->generations.count ? NULL : "a model is referred to by its offerings and jobs";
}

static const char *check_attempts(const struct core_provider *provider, const struct core_list *list, bool ghosts) {
    if (list_length(list) != list->count) {
        return "a list of attempts has its length";
    }
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_attempt *attempt = CORE_OF(link, struct core_attempt, link);
        if (attempt->offering->provider != provider || attempt->provider_handle != provider->handle) {
            return "an attempt is in the list of its provider";
        }
        if ((attempt->generation == NULL) != ghosts || core_deadline_is_set(&attempt->deadline) != ghosts) {
            return "a ghost and only a ghost has no job but a deadline";
        }
    }
    return NULL;
}

static const char *check_offerings(const struct core_provider *provider) {
    size_t active = 0, listed = 0;
    const struct core_list *list = &provider->offerings;
    for (struct core_link *link = core_list_first(list); link != NULL; link = core_list_next(list, link)) {
        const struct core_offering *offering = CORE_OF(link, struct core_offering, provider_link);
        if (offering->provider != provider || core_offering_find(provider, offering->model) != offering) {
            return "a provider has one offering of a model";
        }
        if (!offering->listed && offering->active == 0) {
            return "an offering that is gone stays only for its attempts";
        }
        active += offering->active;
        listed += offering->listed;
    }
    if (active != provider->attempts.count + provider->ghosts.count) {
        return "the slots in use are those of the attempts and ghosts";
    }
    return listed <= CORE_OFFERS_MAX ? NULL : "a provider offers no more models than allowed";
}

static size_t queue_deadlines(const struct core *core) {
    size_t count = 0;
    for (const struct core_model *model = core->models; model != NULL;
         model = (const struct core_model *)model->hh.next) {
        count += core_deadline_is_set(&model->queue.deadline);
    }
    return count;
}

static const char *check_providers(const struct core *core) {
    size_t providers = 0, attempts = 0, ghosts = 0, cooling = 0;
    for (size_t i = 0; i < core->providers.used; i++) {
        const struct core_provider *provider = (const struct core_provider *)core_handles_at(&core->providers, i);
        if (provider == NULL) {
            continue;
        }
        const char *broken = check_attempts(provider, &provider->attempts, false);
        if (broken == NULL) {
            broken = check_attempts(provider, &provider->ghosts, true);
        }
        if (broken == NULL) {
            broken = check_offerings(provider);
        }
        if (broken != NULL) {
            return broken;
        }
        providers++;
        attempts += provider->attempts.count;
        ghosts += provider->ghosts.count;
        cooling += core_deadline_is_set(&provider->cooldown);
    }
    if (providers != core->providers.count || providers > core->config.max_providers) {
        return "the providers are counted and within max_providers";
    }
    size_t settling = core->stages[CORE_GENERATION_SETTLING].count;
    if (attempts != core->generations.count - core->queued - core->stages[CORE_GENERATION_BACKOFF].count - settling) {
        return "every job that a device has has one attempt";
    }
    if (ghosts != core->ghosts || ghosts > core->config.max_generations) {
        return "the ghosts are counted and within their bound";
    }
    return core->deadlines.count == core->generations.count - settling + ghosts + cooling + queue_deadlines(core)
               ? NULL
               : "each unsettled job, ghost, cooling provider and unfinished queue has one deadline, and nobody else";
}

bool core_check(const struct core *core, const char **broken) {
    const char *rule = check_generations_and_models(core);
    if (rule == NULL) {
        rule = check_retries(core);
    }
    if (rule == NULL) {
        rule = check_providers(core);
    }
    if (rule == NULL) {
        rule = core_check_places(core);
    }
    if (rule == NULL) {
        rule = core_check_beliefs(core);
    }
    if (rule == NULL) {
        rule = core_check_money(core);
    }
    if (rule == NULL && !core_deadlines_check(core)) {
        rule = "the deadlines form a heap, the earliest lies ahead, and the shell's timer comes no later";
    }
    if (broken != NULL) {
        *broken = rule;
    }
    return rule == NULL;
}
