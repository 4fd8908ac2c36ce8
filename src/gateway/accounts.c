#include "gateway/accounts.h"

#include "base/mem.h"

#include <stdlib.h>

static void tell_limits(struct accounts *accounts, const struct store_account *account) {
    const struct gateway_tier_limits *limits = &accounts->tiers[account->tier];
    core_loop_step(&accounts->shell->core,
                   &(struct core_event){.kind = CORE_EVENT_ACCOUNT,
                                        .account = {.account = account->number,
                                                    .requests_per_minute = limits->requests_per_minute,
                                                    .concurrent = limits->concurrent,
                                                    .suspended = account->suspended}});
}

static void tell_credit(struct accounts *accounts, const struct store_account *account, int64_t amount_nano) {
    core_loop_step(&accounts->shell->core,
                   &(struct core_event){.kind = CORE_EVENT_CREDIT,
                                        .credit = {.account = account->number, .amount_nano = amount_nano}});
}

static void tell_key(struct accounts *accounts, const struct store_key *key) {
    core_loop_step(
        &accounts->shell->core,
        &(struct core_event){.kind = CORE_EVENT_KEY,
                             .key = {.key = key->number, .cap_nano = key->cap_nano, .spent_nano = key->spent_nano}});
}

static bool load_account(void *context, const struct store_account *account) {
    tell_limits(context, account);
    tell_credit(context, account, account->balance_nano);
    return true;
}

static bool load_key(void *context, const struct store_key *key) {
    tell_key(context, key);
    return true;
}

bool accounts_load(struct accounts *accounts, struct err *err) {
    return store_each_account(accounts->store, load_account, accounts, err) &&
           store_each_key(accounts->store, load_key, accounts, err);
}

struct admin_pending {
    struct accounts *accounts;
    admin_done *done;
    void *done_context;
};

static void learn(struct accounts *accounts, const struct store_admin *result) {
    switch (result->kind) {
    case STORE_ADMIN_ACCOUNT_CREATE:
        tell_limits(accounts, &result->account);
        tell_credit(accounts, &result->account, result->account.balance_nano);
        break;
    case STORE_ADMIN_ACCOUNT_TIER:
    case STORE_ADMIN_ACCOUNT_SUSPEND:
        tell_limits(accounts, &result->account);
        break;
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
        tell_credit(accounts, &result->account, result->amount_nano);
        break;
    case STORE_ADMIN_KEY_REVOKE:
        auth_remove_key(accounts->auth, result->keys[0].id);
        return;
    case STORE_ADMIN_DEVICE_VERIFY:
        providers_verified(&accounts->shell->providers, &result->device);
        return;
    case STORE_ADMIN_KEY_CREATE:
    case STORE_ADMIN_REVIEWS_CLEAR:
    case STORE_ADMIN_PAYOUT:
        break;
    }
    for (size_t i = 0; i < result->key_count; i++) {
        tell_key(accounts, &result->keys[i]);
        auth_add_key(accounts->auth, &result->keys[i]);
    }
}

static void on_result(void *context, const struct store_admin *result, const struct err *err) {
    struct admin_pending *pending = context;
    if (err == NULL) {
        learn(pending->accounts, result);
    }
    pending->done(pending->done_context, result, err);
    free(pending);
}

void accounts_execute(struct accounts *accounts, const struct store_admin *action, admin_done *done,
                      void *done_context) {
    struct admin_pending *pending = MEM_NEW(struct admin_pending);
    *pending = (struct admin_pending){.accounts = accounts, .done = done, .done_context = done_context};
    store_admin(accounts->store, action, on_result, pending);
}
