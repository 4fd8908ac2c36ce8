/* The sandbox's own money: each account has a balance of its own there and a count of what it used, both in memory and
 * so from the gateway's start. No more accounts than the store has. */
#ifndef NATARIS_GATEWAY_SANDBOX_ACCOUNT_H
#define NATARIS_GATEWAY_SANDBOX_ACCOUNT_H

#include "store/usage.h"
#include "wire/generation.h"

#include <uthash.h>

#define SANDBOX_CREDIT_NANO INT64_C(5000000000) /* $5 */

enum { SANDBOX_MODELS_MAX = 64 }; /* further ones count in the sums only */

struct sandbox_account {
    UT_hash_handle hh;
    char id[STORE_ID_MAX];
    int64_t held_nano;
    struct store_usage usage; /* its models are the array below */
    struct store_model_usage models[SANDBOX_MODELS_MAX];
};

/* Finds or makes it. `accounts` is the table (uthash), NULL at first. */
struct sandbox_account *sandbox_account_get(struct sandbox_account **accounts, const char *id);
void sandbox_accounts_clear(struct sandbox_account **accounts);
/* False when balance minus holds does not cover it. */
MUST_CHECK bool sandbox_account_hold(struct sandbox_account *account, int64_t amount_nano);
/* The end of a hold: nothing is charged ... */
void sandbox_account_void(struct sandbox_account *account, int64_t held_nano);
/* ... or this, never more than was held. */
void sandbox_account_settle(struct sandbox_account *account, int64_t held_nano, int64_t charge_nano, const char *model,
                            const struct gen_usage *usage);

#endif
