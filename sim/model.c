/* What must happen to money and limits, worked out apart from the core: amounts in 128 bits, the rate from the list of
 * all admissions, holds and charges from the words of the devices. */
#include "sim/world.h"

static bool is_account(uint64_t number) {
    return number >= 1 && number <= SIM_ACCOUNTS;
}

static bool is_key(const struct sim_generation *generation) {
    return is_account(generation->account) && generation->key >= 1 && generation->key <= SIM_KEYS;
}

static uint32_t lesser(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

static __int128 cost(const struct sim_generation *generation, uint32_t prompt_tokens, uint32_t completion_tokens) {
    if (generation->account == 0) {
        return 0;
    }
    return (__int128)generation->prompt_price_nano * prompt_tokens +
           (__int128)generation->completion_price_nano * completion_tokens;
}

static void change_hold(struct world *world, struct sim_generation *generation, int64_t hold_nano) {
    int64_t change = hold_nano - generation->hold_nano;
    generation->hold_nano = hold_nano;
    if (is_account(generation->account)) {
        struct sim_account *account = &world->accounts[generation->account];
        account->held_nano += change;
        if (ledger_wallet(&world->ledger, generation->account) >= account->held_nano) {
            account->overdrawn = false;
        }
    }
    if (is_key(generation)) {
        world->keys[generation->key].held_nano += change;
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
static bool passes_limits(const struct world *world, const struct sim_generation *generation,
                          enum core_failure *failure) {
    const struct sim_account *account = &world->accounts[generation->account];
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

static bool has_money(const struct world *world, const struct sim_generation *generation, uint32_t prompt_tokens,
                      enum core_failure *failure) {
    if (generation->account == 0) {
        return true;
    }
    __int128 worst = cost(generation, prompt_tokens, generation->max_tokens);
    *failure = CORE_FAILURE_CREDITS;
    if (!is_account(generation->account) || generation->prompt_price_nano < 0 ||
        generation->completion_price_nano < 0 ||
        worst > ledger_wallet(&world->ledger, generation->account) - world->accounts[generation->account].held_nano) {
        return false;
    }
    *failure = CORE_FAILURE_KEY_CAP;
    if (generation->key == 0) {
        return true;
    }
    const struct sim_key *key = &world->keys[is_key(generation) ? generation->key : 0];
    return is_key(generation) && (key->cap_nano < 0 || worst + key->spent_nano + key->held_nano <= key->cap_nano);
}

/* *held: of its prompt. */
static bool passes_money(const struct world *world, const struct sim_generation *generation, uint32_t *held,
                         enum core_failure *failure) {
    const uint32_t most = generation->prompt_tokens_max, enough = generation->prompt_tokens_enough;
    *held = most;
    if (has_money(world, generation, most, failure)) {
        return true;
    }
    *held = enough;
    return enough > 0 && enough < most && has_money(world, generation, enough, failure);
}

/* What is not covered may be free on devices of the account itself, if one is there: whether that can take it is the
 * core's to say. Accounts, keys and prices that make no sense are refused all the same. */
static bool may_be_free(const struct world *world, const struct sim_generation *generation) {
    const __int128 worst = cost(generation, generation->prompt_tokens_max, generation->max_tokens);
    if (!is_account(generation->account) || (generation->key != 0 && !is_key(generation)) ||
        generation->prompt_price_nano < 0 || generation->completion_price_nano < 0 || worst > (__int128)1 << 62) {
        return false;
    }
    for (size_t i = 0; i < SIM_DEVICES; i++) {
        if (world->devices[i].handle != CORE_NO_HANDLE && world->devices[i].owner == generation->account) {
            return true;
        }
    }
    return false;
}

static void check_refused(struct world *world, const struct core_effect *effect) {
    const struct sim_generation *generation = &world->generations[effect->user];
    enum core_failure expected, failure = effect->fail.failure;
    uint32_t held;
    if (is_account(generation->account) && !passes_limits(world, generation, &expected)) {
        if (failure != expected) {
            world_problem(world, "refused for another reason than the account's limits");
        }
        if (failure == CORE_FAILURE_RATE) {
            const struct sim_account *account = &world->accounts[generation->account];
            uint64_t then_ms = world->now_ms + effect->fail.retry_after_ms;
            if (!rate_allows(account, then_ms) || rate_allows(account, then_ms - 1)) {
                world_problem(world, "retry_after_ms is not exact");
            }
        }
    } else if (failure != CORE_FAILURE_WARMING && failure != CORE_FAILURE_UNSERVED && failure != CORE_FAILURE_RESTING &&
               failure != CORE_FAILURE_STOPPED && failure != CORE_FAILURE_QUEUE_FULL &&
               (passes_money(world, generation, &held, &expected) || failure != expected)) {
        world_problem(world, "refused for another reason than money");
    }
}

static void take_admitted(struct world *world, struct sim_generation *generation, uint64_t handle) {
    enum core_failure failure;
    uint32_t held = 0;
    generation->own_only = !passes_money(world, generation, &held, &failure);
    held = generation->own_only ? generation->prompt_tokens_max : held;
    if ((is_account(generation->account) && !passes_limits(world, generation, &failure)) ||
        (generation->own_only && !may_be_free(world, generation))) {
        world_problem(world, "admitted what should have been refused");
        return;
    }
    generation->handle = handle;
    generation->prompt_tokens_max = held;
    if (is_account(generation->account)) {
        struct sim_account *account = &world->accounts[generation->account];
        account->active++;
        account->admitted_ms[account->admitted_count++] = world->now_ms;
    }
    const __int128 worst = cost(generation, generation->prompt_tokens_max, generation->max_tokens);
    change_hold(world, generation, generation->own_only ? 0 : (int64_t)worst);
}

/* The device has the generation, and may have counted its prompt. */
static void take_accept(struct sim_generation *generation, uint32_t prompt_tokens) {
    if (generation->accepted || generation->gone) {
        return;
    }
    generation->accepted = true;
    generation->taken = true;
    generation->prompt_tokens = prompt_tokens;
}

/* What of a delta can still be within max_tokens of its attempt: a token is a byte at least, and 128 at most, and there
 * are 2048 bytes to spare. */
static void take_text(struct sim_generation *generation, uint64_t bytes, uint32_t tokens) {
    const uint64_t most = generation->allowed, spelled = tokens < bytes ? tokens : bytes;
    uint64_t came = bytes;
    if (generation->gone || generation->over) {
        return;
    }
    if (most > 0) {
        generation->over = generation->tokens + tokens > most || generation->bytes + bytes > most * 128 + 2048;
        if (generation->spelled + spelled > most) {
            came =
                generation->spelled < most ? (uint64_t)((__int128)bytes * (most - generation->spelled) / spelled) : 0;
        }
        if (generation->bytes + came > most * 128 + 2048) {
            came = most * 128 + 2048 - generation->bytes;
        }
    }
    generation->bytes += came;
    generation->tokens += tokens;
    generation->spelled += spelled;
}

static void take_word(struct world *world, struct sim_generation *generation) {
    const struct core_event *event = world->event;
    if (event->kind == CORE_EVENT_ACCEPT) {
        take_accept(generation, event->accept.prompt_tokens);
    } else if (event->kind == CORE_EVENT_DELTA) {
        take_accept(generation, 0);
        take_text(generation, event->delta.text.len, event->delta.tokens);
    } else if (event->kind == CORE_EVENT_DONE) {
        if (event->done.finish != CORE_FINISH_CANCELLED) {
            take_accept(generation, event->done.prompt_tokens);
        }
        if (generation->gone || event->done.finish != CORE_FINISH_CANCELLED) {
            const uint32_t prompt = event->done.prompt_tokens;
            if (prompt > 0 && (generation->prompt_tokens == 0 || prompt < generation->prompt_tokens)) {
                generation->prompt_tokens = prompt;
            }
            generation->claim = event->done.completion_tokens;
        }
        generation->holder = CORE_NO_HANDLE;
    } else if (event->kind == CORE_EVENT_ERROR) {
        generation->holder = CORE_NO_HANDLE;
    }
}

/* An event about this generation. */
static void take_event(struct world *world, struct sim_generation *generation) {
    const struct core_event *event = world->event;
    if (event->kind == CORE_EVENT_CLIENT_GONE) {
        generation->gone |= !generation->settling; /* else it is too late to matter */
    } else if (event->kind == CORE_EVENT_ABORT) {
        generation->aborted = !generation->settling && !generation->gone; /* likewise */
    } else if (event->kind == CORE_EVENT_COUNTED) {
        generation->counting = false;
        generation->counted = event->counted.prompt_tokens;
    } else if (event->provider == generation->holder && generation->holder != CORE_NO_HANDLE) {
        take_word(world, generation);
    }
}

void model_event(struct world *world) {
    const struct core_event *event = world->event;
    for (size_t i = 0; i < world->generation_count; i++) {
        struct sim_generation *generation = &world->generations[i];
        if (generation->ends > 0 || generation->handle == CORE_NO_HANDLE) {
            continue;
        }
        if (event->kind == CORE_EVENT_PROVIDER_LEFT && event->provider == generation->holder) {
            generation->holder = CORE_NO_HANDLE;
        } else if (event->generation == generation->handle) {
            take_event(world, generation);
        }
    }
}

/* The present attempt's tokens: what it delivered and said that it had, but no more than the request had left. */
static uint32_t tokens_that_count(const struct sim_generation *generation) {
    const uint64_t left = (generation->account == 0 ? UINT32_MAX : generation->max_tokens) - generation->made;
    const uint64_t by_bytes = generation->bytes == 0 ? 0 : generation->bytes + 4;
    uint64_t tokens = generation->claim < generation->tokens ? generation->claim : generation->tokens;
    tokens = tokens < by_bytes ? tokens : by_bytes;
    return (uint32_t)(tokens < left ? tokens : left);
}

/* What the present attempt has delivered is kept; nothing of one that has delivered nothing. */
static void end_attempt(struct sim_generation *generation) {
    if (generation->bytes > 0) {
        const uint64_t tokens = tokens_that_count(generation), least = (generation->bytes + 127) / 128;
        generation->made += tokens;
        generation->spent += tokens > least ? tokens : least;
        generation->made_bytes += generation->bytes;
        generation->made_prompt = generation->prompt_tokens;
    }
    generation->bytes = generation->tokens = generation->spelled = 0;
    generation->prompt_tokens = 0;
    generation->claim = UINT32_MAX;
    generation->over = generation->accepted = false;
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

static void check_settle(struct world *world, struct sim_generation *generation, const struct core_outcome *outcome) {
    end_attempt(generation);
    uint32_t prompt = generation->made_prompt, completion = (uint32_t)generation->made;
    if (generation->account != 0) {
        prompt = lesser(prompt, generation->prompt_tokens_max);
    }
    if (generation->counted > 0) {
        prompt = lesser(prompt, generation->counted);
    }
    if (generation->counting) {
        world_problem(world, "settled before its prompt was counted");
    }
    check_parts(world, outcome);
    __int128 charge = shares_bill(generation, outcome, prompt);
    generation->charge_nano = charge > generation->hold_nano ? generation->hold_nano : (int64_t)charge;
    generation->provider_nano = (int64_t)((__int128)generation->charge_nano * 85 / 100);
    generation->settling = true;
    generation->holder = CORE_NO_HANDLE;
    if (outcome->prompt_tokens != prompt || outcome->completion_tokens != completion) {
        world_problem(world, "settled for other tokens than the device's");
    }
    if (outcome->charge_nano != generation->charge_nano || outcome->provider_nano != generation->provider_nano ||
        outcome->network_nano != generation->charge_nano - generation->provider_nano) {
        world_problem(world, "settled for another charge");
    }
    if (is_account(generation->account)) {
        shares_check(world, generation, outcome);
    }
    if (outcome->cancelled != generation->gone || !generation->taken) {
        world_problem(world, "settled as something else");
    }
}

static void take_end(struct world *world, struct sim_generation *generation) {
    generation->ends++;
    change_hold(world, generation, 0);
    if (is_account(generation->account)) {
        world->accounts[generation->account].active--;
    }
}

static void take_last(struct world *world, struct sim_generation *generation, const struct core_effect *effect) {
    enum core_effect_kind kind = effect->kind;
    bool paid = kind == CORE_EFFECT_FINISH || (kind == CORE_EFFECT_CANCELLED && generation->settling);
    if (generation->durable != paid) {
        world_problem(world, paid ? "finished before it was durable" : "failed and was charged");
    }
    if (generation->aborted && (kind != CORE_EFFECT_FAIL || effect->fail.failure != world->event->abort.failure)) {
        world_problem(world, "an aborted generation did not fail");
    }
    if (kind == CORE_EFFECT_FINISH && generation->gone) {
        world_problem(world, "finished for a client that had gone before");
    }
    if (kind == CORE_EFFECT_CANCELLED && !generation->gone) {
        world_problem(world, "cancelled for a client that is there");
    }
    take_end(world, generation);
}

static void take_generation_effect(struct world *world, const struct core_effect *effect,
                                   struct sim_generation *generation) {
    switch (effect->kind) {
    case CORE_EFFECT_ADMITTED:
        take_admitted(world, generation, effect->generation);
        break;
    case CORE_EFFECT_DISPATCH:
        end_attempt(generation);
        generation->holder = effect->provider;
        generation->allowed = effect->dispatch.max_tokens;
        if (generation->allowed !=
            (generation->spent < generation->max_tokens ? generation->max_tokens - generation->spent : 0)) {
            world_problem(world, "an attempt may make another number of tokens than is left");
        }
        shares_attempt(world, generation, effect);
        break;
    case CORE_EFFECT_COUNT:
        generation->settling = generation->counting = true;
        generation->holder = CORE_NO_HANDLE;
        break;
    case CORE_EFFECT_CANCEL:
        generation->holder = generation->gone && generation->accepted ? generation->holder : CORE_NO_HANDLE;
        break;
    case CORE_EFFECT_SETTLE:
        check_settle(world, generation, &effect->finish);
        break;
    case CORE_EFFECT_FINISH:
    case CORE_EFFECT_FAIL:
    case CORE_EFFECT_CANCELLED:
        take_last(world, generation, effect);
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
    if (effect->generation == CORE_NO_HANDLE || effect->kind == CORE_EFFECT_REVIEW) {
        if (effect->kind == CORE_EFFECT_REVIEW && effect->review.generation_user < world->generation_count &&
            world->generations[effect->review.generation_user].handle == effect->generation) {
            shares_review(&world->generations[effect->review.generation_user], effect->provider);
        }
        if (effect->kind == CORE_EFFECT_FAIL) {
            check_refused(world, effect);
        }
        return;
    }
    struct sim_generation *generation = &world->generations[effect->user];
    bool begins = generation->handle == CORE_NO_HANDLE; /* ADMITTED, or the trace of a state before it */
    if (effect->kind != CORE_EFFECT_TRACE &&
        (begins != (effect->kind == CORE_EFFECT_ADMITTED) || (!begins && generation->handle != effect->generation) ||
         generation->ends > 0)) {
        world_problem(world, "an effect of a generation that has ended or is another");
        return;
    }
    take_generation_effect(world, effect, generation);
}

void model_committed(struct world *world, struct sim_generation *generation, bool durable) {
    generation->durable = durable;
    if (is_account(generation->account)) {
        world->accounts[generation->account].settling_nano -= generation->given_nano;
    }
    if (durable && is_account(generation->account)) {
        ledger_settle(&world->ledger, generation->account, generation->charge_nano, generation->given_nano,
                      generation->shares, generation->share_count);
        ripening_earn(world, generation);
        if (is_key(generation)) {
            world->keys[generation->key].spent_nano += generation->charge_nano;
        }
    }
}

void model_check(struct world *world) {
    const char *broken = ledger_check(&world->ledger);
    broken = broken == NULL ? ripening_check(world) : broken;
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
        if (view.given_nano != world->ledger.balances[LEDGER_GIVEN + i]) {
            world_problem(world, "the core's given credit is not the ledger's");
        }
        if (view.held_nano != account->held_nano || view.active != account->active) {
            world_problem(world, "the core holds another amount, or for other generations");
        }
        if (view.balance_nano < view.held_nano && !account->overdrawn) {
            world_problem(world, "more is held than there is");
        }
        if (account->rate > 0 && (view.remaining > 0) != rate_allows(account, world->now_ms)) {
            world_problem(world, "the requests that remain are others");
        }
    }
}
