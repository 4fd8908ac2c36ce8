/* Admission: whether a request becomes a generation. The checks come in the order in which a client can do something
 * about them, and one that fails leaves no trace: neither the rate nor any money knows of a refused request. */
#include "core/core_internal.h"
#include "core/own.h"

enum { SOON_MS = 1000 };

struct refusal {
    enum core_failure failure;
    uint64_t retry_after_ms;
};

static bool refuse(struct refusal *refusal, enum core_failure failure, uint64_t retry_after_ms) {
    *refusal = (struct refusal){.failure = failure, .retry_after_ms = retry_after_ms};
    return false;
}

static bool admit_account(const struct core *core, const struct core_account *account, struct refusal *refusal) {
    if (account->suspended) {
        return refuse(refusal, CORE_FAILURE_SUSPENDED, 0);
    }
    uint64_t wait_ms = core_rate_wait_ms(&account->rate, core->now_ms);
    if (wait_ms > 0) {
        return refuse(refusal, CORE_FAILURE_RATE, wait_ms);
    }
    if (account->concurrent > 0 && account->active >= account->concurrent) {
        return refuse(refusal, CORE_FAILURE_CONCURRENCY, SOON_MS);
    }
    return true;
}

/* A model that nobody has ready and nobody will have soon is refused at once; else the request waits for it. */
static bool admit_model(struct core *core, const struct core_model *model, const struct core_event *event,
                        struct refusal *refusal) {
    if (model != NULL &&
        (core_model_is_servable(model) || core_warm_ready_in_ms(core, model, NULL) <= core->config.queue_ms)) {
        return true;
    }
    if (core_model_id_is_valid(event->request.model)) {
        core_warm_demand(core, event->request.model);
    }
    uint64_t retry_after_ms = 0;
    enum core_failure failure = core_warm_failure(core, event->request.model, &retry_after_ms);
    return refuse(refusal, failure, retry_after_ms);
}

/* Is any device of the region, privacy and abilities asked for there at all? */
static bool admit_demands(const struct core *core, struct core_model *model, const struct core_event *event) {
    if (event->request.region[0] == '\0' && !event->request.verified && event->request.abilities == 0) {
        return true;
    }
    struct core_generation wanted = {0};
    core_generation_describe(&wanted, model, event);
    return core_place_has_hope(core, &wanted);
}

/* Generations that come back from a failed attempt may fill the queue beyond max_queue; they are in already. A request
 * that can go at once takes no room in it: a device is free, and nobody waits in spite of that. */
static bool admit_room(const struct core *core, const struct core_model *model) {
    bool goes = model->gated[CORE_GATE_NONE] > 0 && model->queue.count == 0;
    return core->generations.count < core->config.max_generations && (goes || core->queued < core->config.max_queue);
}

static bool admit_place(struct core *core, const struct core_event *event, struct refusal *refusal) {
    struct core_model *model = core_model_find(core, event->request.model);
    if (core->draining) {
        return refuse(refusal, CORE_FAILURE_STOPPED, SOON_MS); /* its successor is about to be there */
    }
    /* What is for one device alone is placed there at once or nowhere, whatever others have. */
    if ((model == NULL || event->request.only_provider == CORE_NO_HANDLE) &&
        !admit_model(core, model, event, refusal)) {
        return false;
    }
    if (!admit_demands(core, model, event)) {
        return refuse(refusal, CORE_FAILURE_UNPLACEABLE, (uint64_t)core->config.warming_retry_s * 1000);
    }
    if (!admit_room(core, model)) {
        return refuse(refusal, CORE_FAILURE_QUEUE_FULL, SOON_MS);
    }
    return true;
}

static bool admit_hold(const struct core *core, const struct core_event *event, uint32_t prompt_tokens,
                       struct core_hold *hold, struct refusal *refusal) {
    if (!core_hold_init(core, event, prompt_tokens, hold) || !core_hold_fits_account(hold)) {
        return refuse(refusal, CORE_FAILURE_CREDITS, 0);
    }
    bool unknown_key = hold->account != NULL && event->request.key != 0 && hold->key == NULL;
    if (unknown_key || !core_hold_fits_key(hold)) {
        return refuse(refusal, CORE_FAILURE_KEY_CAP, 0);
    }
    return true;
}

/* The most that the prompt can ever have is held where the money is there; else what it has by all that is known of its
 * text. Its device then counts no more than that for the bill. */
static bool admit_paid(const struct core *core, const struct core_event *event, struct core_hold *hold,
                       struct refusal *refusal) {
    const uint32_t most = event->request.prompt_tokens_max, enough = event->request.prompt_tokens_enough;
    return admit_hold(core, event, most, hold, refusal) ||
           (enough > 0 && enough < most && admit_hold(core, event, enough, hold, refusal));
}

/* What cannot be paid for may still be free: on a device of the account itself. */
static bool admit_money(const struct core *core, const struct core_event *event, struct core_hold *hold,
                        struct refusal *refusal) {
    return admit_paid(core, event, hold, refusal) || core_own_admit(core, event, refusal->failure, hold);
}

void core_admit(struct core *core, const struct core_event *event) {
    struct core_account *account = core_account_find(core, event->request.account); /* NULL: none, or unknown */
    struct core_hold hold;
    struct refusal refusal;
    if ((account == NULL || admit_account(core, account, &refusal)) && admit_place(core, event, &refusal) &&
        admit_money(core, event, &hold, &refusal)) {
        if (account != NULL) {
            core_rate_take(&account->rate, core->now_ms);
        }
        core_generation_start(core, event, &hold);
        return;
    }
    struct core_effect *effect = core_effect_add(core, CORE_EFFECT_FAIL);
    effect->user = event->request.user;
    effect->fail.failure = refusal.failure;
    effect->fail.retry_after_ms = refusal.retry_after_ms;
}
