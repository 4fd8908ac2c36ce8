/* core_check's rules about money and limits. */
#include "core/core_internal.h"
#include "core/purse.h"

static const char *check_parts(const struct core_hold *hold, const struct core_outcome *outcome) {
    int64_t nano = 0, given = 0;
    uint64_t tokens = 0;
    for (size_t i = 0; i < outcome->part_count; i++) {
        if (outcome->parts[i].nano < 0) {
            return "nobody pays for having made a part";
        }
        if (outcome->parts[i].nano > 0 && core_purse_is_own(hold, &outcome->parts[i])) {
            return "nobody earns from himself";
        }
        if (outcome->parts[i].given_nano < 0 || outcome->parts[i].given_nano > outcome->parts[i].nano) {
            return "what is earned of given credit is within what is earned";
        }
        given += outcome->parts[i].given_nano;
        nano += outcome->parts[i].nano;
        tokens += outcome->parts[i].tokens;
    }
    if (outcome->given_nano < 0 || outcome->given_nano > outcome->charge_nano ||
        hold->given_nano != outcome->given_nano || given > outcome->given_nano ||
        nano - given > outcome->charge_nano - outcome->given_nano) {
        return "no more is earned of either kind than was paid of it";
    }
    return outcome->part_count > 0 && nano == outcome->provider_nano && tokens == outcome->completion_tokens
               ? NULL
               : "what the devices earn adds up to the providers' part";
}

/* Nothing is held or paid, and nobody else has a hand in it. */
static bool check_own(const struct core_generation *generation) {
    const struct core_hold *hold = &generation->hold;
    const struct core_attempt *attempt = generation->attempt;
    bool own = hold->own_only && hold->nano == 0 && hold->account != NULL &&
               hold->account->number == generation->only_owner && generation->outcome.charge_nano == 0 &&
               (attempt == NULL || attempt->offering->provider->owner == generation->only_owner);
    for (uint32_t i = 0; i < generation->part_count; i++) {
        own &= core_purse_is_own(hold, &generation->parts[i]);
    }
    return own;
}

static const char *check_hold(const struct core_generation *generation) {
    const struct core_hold *hold = &generation->hold;
    const struct core_outcome *outcome = &generation->outcome;
    if (!hold->open) {
        return "a job that lives has its hold";
    }
    if (hold->nano < 0 || (hold->account == NULL && (hold->nano != 0 || hold->key != NULL))) {
        return "a hold is not negative, and without an account nothing is held";
    }
    if (hold->account != NULL && hold->account->active == 0) {
        return "an account counts its jobs";
    }
    if (outcome->charge_nano < 0 || outcome->charge_nano > hold->nano) {
        return "a charge is within its hold";
    }
    if (outcome->provider_nano < 0 || outcome->network_nano < 0 ||
        outcome->provider_nano + outcome->network_nano != outcome->charge_nano) {
        return "the parts of a charge add up to it";
    }
    if (generation->state != CORE_GENERATION_SETTLING) {
        return (outcome->charge_nano | hold->given_nano) == 0 ? NULL : "only what is being settled is charged";
    }
    return check_parts(hold, outcome);
}

struct hold_sums {
    int64_t held, given;
    uint32_t active;
};

/* Over the generations of an account (or of a key, when `account` is NULL). */
static struct hold_sums sum_holds(const struct core *core, const struct core_account *account,
                                  const struct core_key *key) {
    struct hold_sums sums = {0};
    for (size_t i = 0; i < core->generations.used; i++) {
        const struct core_generation *generation =
            (const struct core_generation *)core_handles_at(&core->generations, i);
        if (generation != NULL &&
            (account != NULL ? generation->hold.account == account : generation->hold.key == key)) {
            sums.held += generation->hold.nano;
            sums.given += generation->hold.given_nano;
            sums.active++;
        }
    }
    return sums;
}

static const char *check_account(const struct core *core, const struct core_account *account) {
    struct hold_sums sums = sum_holds(core, account, NULL);
    if (sums.held != account->held_nano) {
        return "an account's held money is that of its jobs";
    }
    if (sums.active != account->active) {
        return "an account counts its jobs";
    }
    if (sums.given != account->settling_nano) {
        return "given credit set apart is that of its settlements";
    }
    /* overdrawn is set by a negative credit alone. */
    if (account->overdrawn != (account->balance_nano < account->held_nano)) {
        return "only a negative credit makes spendable money negative";
    }
    return account->rate.used <= account->rate.limit * CORE_RATE_REQUEST ? NULL
                                                                         : "no more requests than the rate allows";
}

static const char *check_key(const struct core *core, const struct core_key *key) {
    if (sum_holds(core, NULL, key).held != key->held_nano) {
        return "a key's held money is that of its jobs";
    }
    return key->spent_nano >= 0 ? NULL : "a key has not spent less than nothing";
}

const char *core_check_money(const struct core *core) {
    const char *broken = NULL;
    for (size_t i = 0; i < core->generations.used && broken == NULL; i++) {
        const struct core_generation *generation =
            (const struct core_generation *)core_handles_at(&core->generations, i);
        broken = generation == NULL ? NULL : check_hold(generation);
        if (generation != NULL && generation->only_owner != 0 && !check_own(generation)) {
            broken = "what is free is for devices of its own account";
        }
    }
    for (const struct core_account *account = core->accounts; account != NULL && broken == NULL;
         account = (const struct core_account *)account->hh.next) {
        broken = check_account(core, account);
    }
    for (const struct core_key *key = core->keys; key != NULL && broken == NULL;
         key = (const struct core_key *)key->hh.next) {
        broken = check_key(core, key);
    }
    if (broken == NULL && HASH_COUNT(core->accounts) + HASH_COUNT(core->keys) > core->config.max_accounts) {
        broken = "accounts and keys are within max_accounts";
    }
    return broken;
}
