/* Accounts, keys and limits: from the store to the core and auth, at the start and by admin actions. The store is asked
 * first; the core and auth learn what is durable. */
#include "base/mem.h"
#include "gateway/internal.h"

static void tell_limits(struct gateway *gateway, const struct store_account *account) {
    const struct gateway_tier_limits *limits = &gateway->tiers[account->tier];
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_ACCOUNT,
                                               .account = {.account = account->number,
                                                           .requests_per_minute = limits->requests_per_minute,
                                                           .concurrent = limits->concurrent,
                                                           .suspended = account->suspended}});
}

static void tell_credit(struct gateway *gateway, const struct store_account *account, int64_t amount_nano) {
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_CREDIT,
                                               .credit = {.account = account->number, .amount_nano = amount_nano}});
}

static void tell_key(struct gateway *gateway, const struct store_key *key) {
    gateway_step(gateway, &(struct core_event){
                              .kind = CORE_EVENT_KEY,
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

bool gateway_accounts_load(struct gateway *gateway, struct err *err) {
    return store_each_account(gateway->store, load_account, gateway, err) &&
           store_each_key(gateway->store, load_key, gateway, err);
}

struct admin_pending {
    struct gateway *gateway;
    admin_done *done;
    void *done_context;
};

static void learn(struct gateway *gateway, const struct store_admin *result) {
    switch (result->kind) {
    case STORE_ADMIN_ACCOUNT_CREATE:
        tell_limits(gateway, &result->account);
        tell_credit(gateway, &result->account, result->account.balance_nano);
        break;
    case STORE_ADMIN_ACCOUNT_TIER:
    case STORE_ADMIN_ACCOUNT_SUSPEND:
        tell_limits(gateway, &result->account);
        break;
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
        tell_credit(gateway, &result->account, result->amount_nano);
        break;
    case STORE_ADMIN_KEY_REVOKE:
        auth_remove_key(gateway->auth, result->keys[0].id);
        return;
    case STORE_ADMIN_DEVICE_VERIFY:
        gateway_provider_verified(gateway, &result->device);
        return;
    case STORE_ADMIN_KEY_CREATE:
    case STORE_ADMIN_REVIEWS_CLEAR:
    case STORE_ADMIN_PAYOUT:
        break;
    }
    for (size_t i = 0; i < result->key_count; i++) {
        tell_key(gateway, &result->keys[i]);
        auth_add_key(gateway->auth, &result->keys[i]);
    }
}

static void on_result(void *context, const struct store_admin *result, const struct err *err) {
    struct admin_pending *pending = context;
    if (err == NULL) {
        learn(pending->gateway, result);
    }
    pending->done(pending->done_context, result, err);
    free(pending);
}

static void execute(void *context, const struct store_admin *action, admin_done *done, void *done_context) {
    struct gateway *gateway = context;
    struct admin_pending *pending = MEM_NEW(struct admin_pending);
    *pending = (struct admin_pending){.gateway = gateway, .done = done, .done_context = done_context};
    store_admin(gateway->store, action, on_result, pending);
}

static bool account_view(void *context, uint64_t account_number, struct core_account_view *view) {
    const struct gateway *gateway = context;
    return core_account_view(gateway->core, account_number, loop_now_ms(gateway->loop), view);
}

static bool model_offered(void *context, struct str model) {
    const struct gateway *gateway = context;
    return core_model_availability(gateway->core, model, NULL) != CORE_MODEL_ABSENT;
}

const struct admin_backend GATEWAY_ADMIN_BACKEND = {
    .execute = execute,
    .account_view = account_view,
    .model_offered = model_offered,
    .metrics = gateway_metrics,
    .provider_write = gateway_provider_write,
    .job_write = gateway_job_write,
};
