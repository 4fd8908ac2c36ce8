/* Whose money pays a settlement, and whose it becomes (docs/LEDGER.md "Two wallets").
 *
 * An account's balance is of two kinds: paid credit, and given credit (of its sign-up, and whatever was granted as
 * given). Given credit is spent first. What is earned has the kind of what it was paid with, in proportion, and what is
 * earned from given credit is given credit again: it can be spent, and never paid out. An account's parts of its own
 * answers, made by devices of its own, cost nothing and earn nothing. */
#ifndef NATARIS_CORE_PURSE_H
#define NATARIS_CORE_PURSE_H

#include "core/core_internal.h"

/* Was this part made on a device of the account that pays? */
bool core_purse_is_own(const struct core_hold *hold, const struct core_part *part);
/* The last part that somebody else made; `count` when there is none. */
size_t core_purse_last_paid(const struct core_hold *hold, const struct core_part *parts, size_t count);

/* What is to be paid of an outcome: the tokens of others' devices, and the prompt unless an own device finished. */
struct core_bill {
    uint32_t prompt_tokens, completion_tokens;
};
struct core_bill core_purse_bill(const struct core_hold *hold, const struct core_outcome *outcome);

/* Takes the charge from the account's two kinds, and gives each of the outcome's parts (their nano is set) its kind.
 * The given credit is set apart until core_purse_close. */
void core_purse_divide(struct core_hold *hold, struct core_outcome *outcome, struct core_part *parts);
/* The settlement is over: `paid`, or without effect. Its account is not NULL. */
void core_purse_close(struct core_hold *hold, bool paid);
/* What its parts earned of given credit can be spent by their owners, unless it waits in escrow. */
void core_purse_pay(const struct core *core, const struct core_outcome *outcome);

#endif
