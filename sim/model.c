/* What must happen to money and limits, worked out apart from the core: amounts in 128 bits, the rate from the list of
 * all admissions, holds and charges from the words of the devices. */
#include "sim/world.h"

static bool is_account(uint64_t number) {
    return number >= 1 && number <= SIM_ACCOUNTS;
}

static bool is_key(const struct sim_job *job) {
    return is_account(job->account) && job->key >= 1 && job->key <= SIM_KEYS;
}

static uint32_t lesser(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static __int128 cost(const struct sim_job *job, uint32_t prompt_tokens, uint32_t completion_tokens) {
    if (job->account == 0) {
        return 0;
    }
    return (__int128)job->prompt_price_nano * prompt_tokens + (__int128)job->completion_price_nano * completion_tokens;
}

static void change_hold(struct world *world, struct sim_job *job, int64_t hold_nano) {
    int64_t change = hold_nano - job->hold_nano;
    job->hold_nano = hold_nano;
    if (is_account(job->account)) {
        struct sim_account *account = &world->accounts[job->account];
        account->held_nano += change;
        if (ledger_wallet(&world->ledger, job->account) >= account->held_nano) {
            account->overdrawn = false;
        }
    }
    if (is_key(job)) {
        world->keys[job->key].held_nano += change;
    }
}

/* Does the rate let one more in at `at_ms`? In no span may more be admitted than the limit and what leaks out in it. */
static bool rate_allows(const struct sim_account *account, uint64_t at_ms) {
    for (size_t i = 0; i < account->admitted_count; i++) {
        __int128 with_this = (__int128)(account->admitted_count - i + 1) * 60000;
        __int128 elapsed_ms = (__int128)at_ms - account->admitted_ms[i];
        if (with_this > (__int128)account->rate * 60000 + elapsed_ms * account->rate) {
            return false;
        }
    }
    return true;
}

/* The refusals that come before the look at models and queue; true when there is none. */
static bool passes_limits(const struct world *world, const struct sim_job *job, enum core_failure *failure) {
    const struct sim_account *account = &world->accounts[job->account];
    if (account->suspended) {
        *failure = CORE_FAILURE_SUSPENDED;
    } else if (account->rate > 0 && !rate_allows(account, world->now_ms)) {
        *failure = CORE_FAILURE_RATE;
    } else if (account->concurrent > 0 && account->active >= account->concurrent) {
        *failure = CORE_FAILURE_CONCURRENCY;
    } else {
        return true;
    }
    return false;
}

static bool passes_money(const struct world *world, const struct sim_job *job, enum core_failure *failure) {
    if (job->account == 0) {
        return true;
    }
    __int128 worst = cost(job, job->prompt_tokens_max, job->max_tokens);
    *failure = CORE_FAILURE_CREDITS;
    if (!is_account(job->account) || job->prompt_price_nano < 0 || job->completion_price_nano < 0 ||
        worst > ledger_wallet(&world->ledger, job->account) - world->accounts[job->account].held_nano) {
        return false;
    }
    *failure = CORE_FAILURE_KEY_CAP;
    if (job->key == 0) {
        return true;
    }
    const struct sim_key *key = &world->keys[is_key(job) ? job->key : 0];
    return is_key(job) && (key->cap_nano < 0 || worst + key->spent_nano + key->held_nano <= key->cap_nano);
}

static void check_refused(struct world *world, const struct core_effect *effect) {
    const struct sim_job *job = &world->jobs[effect->user];
    enum core_failure expected, failure = effect->fail.failure;
    if (is_account(job->account) && !passes_limits(world, job, &expected)) {
        if (failure != expected) {
            world_problem(world, "refused for another reason than the account's limits");
        }
        if (failure == CORE_FAILURE_RATE) {
            const struct sim_account *account = &world->accounts[job->account];
            uint64_t then_ms = world->now_ms + effect->fail.retry_after_ms;
            if (!rate_allows(account, then_ms) || rate_allows(account, then_ms - 1)) {
                world_problem(world, "retry_after_ms is not exact");
            }
        }
    } else if (failure != CORE_FAILURE_WARMING && failure != CORE_FAILURE_QUEUE_FULL &&
               (passes_money(world, job, &expected) || failure != expected)) {
        world_problem(world, "refused for another reason than money");
    }
}

static void take_admitted(struct world *world, struct sim_job *job, uint64_t handle) {
    enum core_failure failure;
    if ((is_account(job->account) && !passes_limits(world, job, &failure)) || !passes_money(world, job, &failure)) {
        world_problem(world, "admitted what should have been refused");
        return;
    }
    job->handle = handle;
    if (is_account(job->account)) {
        struct sim_account *account = &world->accounts[job->account];
        account->active++;
        account->admitted_ms[account->admitted_count++] = world->now_ms;
    }
    change_hold(world, job, (int64_t)cost(job, job->prompt_tokens_max, job->max_tokens));
}

/* The device has the job, and may have counted its prompt. */
static void take_accept(struct world *world, struct sim_job *job, uint32_t prompt_tokens) {
    if (job->accepted || job->gone) {
        return;
    }
    job->accepted = true;
    job->taken = true;
    if (prompt_tokens > 0 && job->prompt_tokens == 0) {
        job->prompt_tokens = prompt_tokens;
        __int128 rest = cost(job, lesser(prompt_tokens, job->prompt_tokens_max), job->max_tokens);
        if (job->account != 0 && rest < job->hold_nano) {
            change_hold(world, job, (int64_t)rest);
        }
    }
}

static void take_word(struct world *world, struct sim_job *job) {
    const struct core_event *event = world->event;
    if (event->kind == CORE_EVENT_ACCEPT) {
        take_accept(world, job, event->accept.prompt_tokens);
    } else if (event->kind == CORE_EVENT_DELTA) {
        take_accept(world, job, 0);
        uint64_t tokens = (uint64_t)job->delta_tokens + event->delta.tokens;
        job->delta_tokens = tokens > UINT32_MAX ? UINT32_MAX : (uint32_t)tokens;
    } else if (event->kind == CORE_EVENT_DONE) {
        if (event->done.finish != CORE_FINISH_CANCELLED) {
            take_accept(world, job, event->done.prompt_tokens);
        }
        if (job->gone || event->done.finish != CORE_FINISH_CANCELLED) {
            if (job->prompt_tokens == 0) {
                job->prompt_tokens = event->done.prompt_tokens;
            }
            job->delta_tokens = event->done.completion_tokens;
        }
        job->holder = CORE_NO_HANDLE;
    } else if (event->kind == CORE_EVENT_ERROR) {
        job->holder = CORE_NO_HANDLE;
    }
}

void model_event(struct world *world) {
    const struct core_event *event = world->event;
    for (size_t i = 0; i < world->job_count; i++) {
        struct sim_job *job = &world->jobs[i];
        if (job->ends > 0 || job->handle == CORE_NO_HANDLE) {
            continue;
        }
        if (event->kind == CORE_EVENT_CLIENT_GONE && event->job == job->handle) {
            job->gone |= !job->settling; /* else it is too late to matter */
        } else if (event->kind == CORE_EVENT_ABORT && event->job == job->handle) {
            job->aborted = !job->settling && !job->gone; /* likewise */
        } else if (event->kind == CORE_EVENT_PROVIDER_LEFT && event->provider == job->holder) {
            job->holder = CORE_NO_HANDLE;
        } else if (event->job == job->handle && event->provider == job->holder && job->holder != CORE_NO_HANDLE) {
            take_word(world, job);
        }
    }
}

/* The present attempt's tokens, but no more than the request had left. */
static uint32_t tokens_that_count(const struct sim_job *job) {
    return lesser(job->delta_tokens, (job->account == 0 ? UINT32_MAX : job->max_tokens) - job->made);
}

static void check_parts(struct world *world, const struct core_outcome *outcome) {
    __int128 tokens = 0, nano = 0;
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        tokens += part->tokens;
        nano += part->nano;
        if (part->nano < 0 || part->tokens > outcome->completion_tokens) {
            world_problem(world, "a part is more than the whole");
        }
    }
    if (outcome->part_count == 0 || tokens != outcome->completion_tokens || nano != outcome->provider_nano) {
        world_problem(world, "the parts do not add up to the bill");
    }
}

static void check_settle(struct world *world, struct sim_job *job, const struct core_outcome *outcome) {
    uint32_t prompt = job->prompt_tokens, completion = job->made + tokens_that_count(job);
    if (job->account != 0) {
        prompt = lesser(prompt, job->prompt_tokens_max);
    }
    check_parts(world, outcome);
    __int128 charge = cost(job, prompt, completion);
    job->charge_nano = charge > job->hold_nano ? job->hold_nano : (int64_t)charge;
    job->provider_nano = (int64_t)((__int128)job->charge_nano * 85 / 100);
    job->settling = true;
    job->holder = CORE_NO_HANDLE;
    if (outcome->prompt_tokens != prompt || outcome->completion_tokens != completion) {
        world_problem(world, "settled for other tokens than the device's");
    }
    if (outcome->charge_nano != job->charge_nano || outcome->provider_nano != job->provider_nano ||
        outcome->network_nano != job->charge_nano - job->provider_nano) {
        world_problem(world, "settled for another charge");
    }
    if (outcome->cancelled != job->gone || !job->taken) {
        world_problem(world, "settled as something else");
    }
}

static void take_end(struct world *world, struct sim_job *job) {
    job->ends++;
    change_hold(world, job, 0);
    if (is_account(job->account)) {
        world->accounts[job->account].active--;
    }
}

static void take_last(struct world *world, struct sim_job *job, const struct core_effect *effect) {
    enum core_effect_kind kind = effect->kind;
    bool paid = kind == CORE_EFFECT_FINISH || (kind == CORE_EFFECT_CANCELLED && job->settling);
    if (job->durable != paid) {
        world_problem(world, paid ? "finished before it was durable" : "failed and was charged");
    }
    if (job->aborted && (kind != CORE_EFFECT_FAIL || effect->fail.failure != world->event->abort.failure)) {
        world_problem(world, "an aborted job did not fail");
    }
    if (kind == CORE_EFFECT_FINISH && job->gone) {
        world_problem(world, "finished for a client that had gone before");
    }
    if (kind == CORE_EFFECT_CANCELLED && !job->gone) {
        world_problem(world, "cancelled for a client that is there");
    }
    take_end(world, job);
}

static void take_job_effect(struct world *world, const struct core_effect *effect, struct sim_job *job) {
    switch (effect->kind) {
    case CORE_EFFECT_ADMITTED:
        take_admitted(world, job, effect->job);
        break;
    case CORE_EFFECT_DISPATCH:
        job->holder = effect->provider;
        job->accepted = false;
        job->made += tokens_that_count(job);
        job->delta_tokens = 0;
        break;
    case CORE_EFFECT_CANCEL:
        job->holder = job->gone && job->accepted ? job->holder : CORE_NO_HANDLE;
        break;
    case CORE_EFFECT_SETTLE:
        check_settle(world, job, &effect->finish);
        break;
    case CORE_EFFECT_FINISH:
    case CORE_EFFECT_FAIL:
    case CORE_EFFECT_CANCELLED:
        take_last(world, job, effect);
        break;
    case CORE_EFFECT_ACCEPTED:
    case CORE_EFFECT_DELIVER:
    case CORE_EFFECT_PROVIDER_ADMITTED:
    case CORE_EFFECT_PROVIDER_REFUSED:
    case CORE_EFFECT_PROVIDER_BUSY:
    case CORE_EFFECT_PROVIDER_IDLE:
    case CORE_EFFECT_WANT:
    case CORE_EFFECT_REVIEW:
    case CORE_EFFECT_WAKE:
    case CORE_EFFECT_TRACE:
        break;
    }
}

void model_effect(struct world *world, const struct core_effect *effect) {
    if (effect->job == CORE_NO_HANDLE || effect->kind == CORE_EFFECT_REVIEW) {
        if (effect->kind == CORE_EFFECT_FAIL) {
            check_refused(world, effect);
        }
        return;
    }
    struct sim_job *job = &world->jobs[effect->user];
    bool begins = job->handle == CORE_NO_HANDLE; /* ADMITTED, or the trace of a state before it */
    if (effect->kind != CORE_EFFECT_TRACE && (begins != (effect->kind == CORE_EFFECT_ADMITTED) ||
                                              (!begins && job->handle != effect->job) || job->ends > 0)) {
        world_problem(world, "an effect of a job that has ended or is another");
        return;
    }
    take_job_effect(world, effect, job);
}

void model_committed(struct world *world, struct sim_job *job, bool durable) {
    job->durable = durable;
    if (durable && is_account(job->account)) {
        ledger_settle(&world->ledger, job->account, job->charge_nano, job->provider_nano);
        if (is_key(job)) {
            world->keys[job->key].spent_nano += job->charge_nano;
        }
    }
}

void model_check(struct world *world) {
    const char *broken = ledger_check(&world->ledger);
    if (broken != NULL) {
        world_problem(world, broken);
    }
    for (uint64_t i = 1; i <= SIM_ACCOUNTS; i++) {
        const struct sim_account *account = &world->accounts[i];
        struct core_account_view view;
        if (!core_account_view(world->core, i, world->now_ms, &view)) {
            continue; /* not made known yet */
        }
        if (view.balance_nano != ledger_wallet(&world->ledger, i)) {
            world_problem(world, "the core's balance is not the ledger's");
        }
        if (view.held_nano != account->held_nano || view.active != account->active) {
            world_problem(world, "the core holds another amount, or for other jobs");
        }
        if (view.balance_nano < view.held_nano && !account->overdrawn) {
            world_problem(world, "more is held than there is");
        }
        if (account->rate > 0 && (view.remaining > 0) != rate_allows(account, world->now_ms)) {
            world_problem(world, "the requests that remain are others");
        }
    }
}
