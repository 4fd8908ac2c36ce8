/* Holds: the worst case of a generation, set aside when it is admitted and ended exactly once.
 *
 * Between the two, the account's spendable money (balance minus holds) is without it, so no number of requests at once
 * can overdraw an account. A charge never exceeds its hold: ending a hold never makes the spendable money less. */
#include "core/core_internal.h"
#include "core/purse.h"

static uint32_t min_u32(uint32_t a, uint32_t b) {
    return a < b ? a : b;
}

/* False when it is past CORE_MONEY_MAX. Prices are not negative. */
static bool hold_cost(const struct core_hold *hold, uint32_t prompt_tokens, uint32_t completion_tokens, int64_t *out) {
    int64_t prompt = 0, completion = 0;
    return !__builtin_mul_overflow(hold->prompt_price_nano, (int64_t)prompt_tokens, &prompt) &&
           !__builtin_mul_overflow(hold->completion_price_nano, (int64_t)completion_tokens, &completion) &&
           !__builtin_add_overflow(prompt, completion, out) && *out <= CORE_MONEY_MAX;
}

bool core_hold_init(const struct core *core, const struct core_event *event, uint32_t prompt_tokens,
                    struct core_hold *hold) {
    *hold = (struct core_hold){.prompt_tokens_max = UINT32_MAX, .completion_tokens_max = UINT32_MAX};
    if (event->request.account == 0) {
        return true; /* nothing to pay, so the device's counts are told as they are */
    }
    hold->prompt_tokens_max = prompt_tokens;
    hold->completion_tokens_max = event->request.max_tokens;
    hold->account = core_account_find(core, event->request.account);
    hold->key = event->request.key == 0 ? NULL : core_key_find(core, event->request.key);
    hold->prompt_price_nano = event->request.prompt_price_nano;
    hold->completion_price_nano = event->request.completion_price_nano;
    return hold->account != NULL && hold->prompt_price_nano >= 0 && hold->completion_price_nano >= 0 &&
           hold_cost(hold, hold->prompt_tokens_max, hold->completion_tokens_max, &hold->nano);
}

bool core_hold_fits_account(const struct core_hold *hold) {
    const struct core_account *account = hold->account;
    return account == NULL || hold->nano <= account->balance_nano - account->held_nano;
}

bool core_hold_fits_key(const struct core_hold *hold) {
    const struct core_key *key = hold->key;
    int64_t held = 0, all = 0;
    if (key == NULL) {
        return true;
    }
    if (__builtin_add_overflow(key->held_nano, hold->nano, &held) ||
        __builtin_add_overflow(key->spent_nano, held, &all)) {
        return false;
    }
    return key->cap_nano < 0 || all <= key->cap_nano;
}

/* Moves the hold's amount, with the sums of its account and key. */
static void hold_change(struct core_hold *hold, int64_t nano) {
    int64_t change = nano - hold->nano;
    hold->nano = nano;
    if (hold->account != NULL) {
        hold->account->held_nano += change;
        hold->account->overdrawn &= hold->account->balance_nano < hold->account->held_nano;
    }
    if (hold->key != NULL) {
        hold->key->held_nano += change;
    }
}

void core_hold_open(struct core_hold *hold) {
    int64_t nano = hold->nano;
    hold->nano = 0;
    hold->open = true;
    hold_change(hold, nano);
    if (hold->account != NULL) {
        hold->account->active++;
    }
}

/* charge * percent / 100, rounded down, without a product that might not fit. */
static int64_t hold_provider_share(int64_t charge) {
    return charge / 100 * CORE_PROVIDER_SHARE_PERCENT + charge % 100 * CORE_PROVIDER_SHARE_PERCENT / 100;
}

void core_hold_price(const struct core_hold *hold, struct core_outcome *outcome) {
    int64_t charge = 0;
    outcome->prompt_tokens = min_u32(outcome->prompt_tokens, hold->prompt_tokens_max);
    outcome->completion_tokens = min_u32(outcome->completion_tokens, hold->completion_tokens_max);
    outcome->cached_tokens = min_u32(outcome->cached_tokens, outcome->prompt_tokens);
    const struct core_bill bill = core_purse_bill(hold, outcome);
    if (!hold_cost(hold, bill.prompt_tokens, bill.completion_tokens, &charge) || charge > hold->nano) {
        charge = hold->nano;
    }
    outcome->charge_nano = charge;
    outcome->provider_nano = hold_provider_share(charge);
    outcome->network_nano = charge - outcome->provider_nano;
}

void core_hold_split(const struct core_hold *hold, const struct core_outcome *outcome, struct core_part *parts,
                     size_t count) {
    int64_t rest = outcome->provider_nano;
    const size_t last = core_purse_last_paid(hold, parts, count);
    for (size_t i = 0; i < count; i++) {
        int64_t cost = 0;
        if (core_purse_is_own(hold, &parts[i])) {
            continue; /* earns nothing */
        }
        /* Within the bound of the whole charge, whose tokens are those of all parts; else it is cut with the charge. */
        bool fits = hold_cost(hold, 0, parts[i].tokens, &cost);
        int64_t share = fits ? hold_provider_share(cost) : rest;
        parts[i].nano = i == last || share > rest ? rest : share;
        rest -= parts[i].nano;
    }
}

void core_hold_close(struct core_hold *hold, int64_t charge_nano) {
    assert(hold->open && charge_nano >= 0 && charge_nano <= hold->nano);
    if (hold->account != NULL) {
        hold->account->balance_nano -= charge_nano;
        hold->account->active--;
        core_purse_close(hold, charge_nano > 0);
    }
    if (hold->key != NULL) {
        hold->key->spent_nano += charge_nano; /* fits: core_hold_fits_key has added up the worst case */
    }
    hold_change(hold, 0);
    hold->open = false;
}
