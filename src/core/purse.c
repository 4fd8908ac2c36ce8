#include "core/purse.h"

bool core_purse_is_own(const struct core_hold *hold, const struct core_part *part) {
    return hold->account != NULL && part->account == hold->account->number;
}

size_t core_purse_last_paid(const struct core_hold *hold, const struct core_part *parts, size_t count) {
    size_t last = count;
    for (size_t i = 0; i < count; i++) {
        last = core_purse_is_own(hold, &parts[i]) ? last : i;
    }
    return last;
}

struct core_bill core_purse_bill(const struct core_hold *hold, const struct core_outcome *outcome) {
    struct core_bill bill = {outcome->prompt_tokens, outcome->completion_tokens};
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        if (core_purse_is_own(hold, part)) {
            bill.completion_tokens -= part->tokens < bill.completion_tokens ? part->tokens : bill.completion_tokens;
            bill.prompt_tokens = i + 1 == outcome->part_count ? 0 : bill.prompt_tokens;
        }
    }
    return bill;
}

/* of * part / whole, rounded down; 0 <= part <= whole, whole > 0. */
static int64_t purse_share(int64_t of, int64_t part, int64_t whole) {
    return (int64_t)((__int128)of * part / whole);
}

/* The paid kind of each earner is the proportion of the charge, rounded down over all parts up to it: so no earner has
 * more of it than was paid, and the sums are exact. */
static void purse_colour(const struct core_outcome *outcome, struct core_part *parts) {
    const int64_t paid = outcome->charge_nano - outcome->given_nano;
    int64_t earned = 0, earned_paid = 0;
    for (size_t i = 0; i < outcome->part_count; i++) {
        earned += parts[i].nano;
        const int64_t until = purse_share(earned, paid, outcome->charge_nano);
        parts[i].given_nano = parts[i].nano - (until - earned_paid);
        earned_paid = until;
    }
}

void core_purse_divide(struct core_hold *hold, struct core_outcome *outcome, struct core_part *parts) {
    if (hold->account == NULL || outcome->charge_nano == 0) {
        return;
    }
    const int64_t left = hold->account->given_nano - hold->account->settling_nano;
    outcome->given_nano = left < outcome->charge_nano ? left : outcome->charge_nano;
    outcome->given_nano = outcome->given_nano > 0 ? outcome->given_nano : 0;
    hold->given_nano = outcome->given_nano;
    hold->account->settling_nano += hold->given_nano;
    purse_colour(outcome, parts);
}

void core_purse_close(struct core_hold *hold, bool paid) {
    hold->account->settling_nano -= hold->given_nano;
    hold->account->given_nano -= paid ? hold->given_nano : 0;
    hold->given_nano = 0;
}

void core_purse_pay(const struct core *core, const struct core_outcome *outcome) {
    for (size_t i = 0; i < outcome->part_count; i++) {
        const struct core_part *part = &outcome->parts[i];
        if (part->given_nano > 0 && !part->escrow) {
            struct core_account *account = core_account_find(core, part->account);
            if (account != NULL && account->balance_nano <= CORE_MONEY_MAX - part->given_nano) {
                account->balance_nano += part->given_nano;
                account->given_nano += part->given_nano;
                account->overdrawn = account->balance_nano < account->held_nano;
            }
        }
    }
}
