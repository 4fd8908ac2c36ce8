#include "gateway/accounts.h"

#include "base/mem.h"

#include <stdlib.h>

static void tell_limits(struct accounts *accounts, const struct store_account *account) {
    const struct gateway_tier_limits *limits = &accounts->tiers[account->tier];
    call_rates_set(accounts->rates, account->number, limits->calls_per_minute);
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

static bool known(const struct accounts *accounts, uint64_t number) {
    struct core_account_view view;
    return core_account_view(accounts->shell->core.core, number, core_loop_now_ms(&accounts->shell->core), &view);
}

/* The balance is told once: from then on the core moves it itself. */
static void on_key(void *context, const struct store_key *key, const struct store_account *account) {
    struct accounts *accounts = context;
    if (!known(accounts, account->number)) {
        tell_limits(accounts, account);
        tell_credit(accounts, account, account->balance_nano);
    }
    tell_key(accounts, key);
}

bool accounts_open(struct accounts *accounts, struct err *err) {
    auth_watch(accounts->auth, on_key, accounts);
    return auth_load_open(accounts->auth, err);
}

struct admin_pending {
    struct accounts *accounts;
    admin_done *done;
    void *done_context;
};

/* Of an account that the core does not know it learns when that is read. */
static void learn(struct accounts *accounts, const struct store_admin *result) {
    switch (result->kind) {
    case STORE_ADMIN_ACCOUNT_TIER:
    case STORE_ADMIN_ACCOUNT_SUSPEND:
        if (known(accounts, result->account.number)) {
            tell_limits(accounts, &result->account);
        }
        break;
    case STORE_ADMIN_ACCOUNT_ERASE:
        auth_remove_account(accounts->auth, result->account.id);
        if (known(accounts, result->account.number)) {
            tell_limits(accounts, &result->account);
        }
        return;
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
    case STORE_ADMIN_ACCOUNT_CREATE:
    case STORE_ADMIN_KEY_CREATE:
    case STORE_ADMIN_REVIEWS_CLEAR:
        audit_book_dismiss(&accounts->shell->audit_book, result->device.id);
        break;
    case STORE_ADMIN_PAYOUT:
        break;
    }
    for (size_t i = 0; i < result->key_count; i++) {
        auth_expect_key(accounts->auth, result->keys[i].sha256);
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
