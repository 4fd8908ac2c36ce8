/* Accounts and keys, by the shell's own numbers. They stay until the core is freed. */
#include "core/core_internal.h"

struct core_account *core_account_find(const struct core *core, uint64_t number) {
    struct core_account *account = NULL;
    HASH_FIND(hh, core->accounts, &number, sizeof(number), account);
    return account;
}

struct core_key *core_key_find(const struct core *core, uint64_t number) {
    struct core_key *key = NULL;
    HASH_FIND(hh, core->keys, &number, sizeof(number), key);
    return key;
}

/* May this number name one more account or key? 0 means none. */
static bool account_has_room(const struct core *core, uint64_t number) {
    return number != 0 && HASH_COUNT(core->accounts) + HASH_COUNT(core->keys) < core->config.max_accounts;
}

/* What runs is finished and paid; what only waits is refused, like all that comes from now on. */
static void account_refuse_waiting(struct core *core, const struct core_account *account) {
    for (size_t i = 0; i < core->generations.used; i++) {
        struct core_generation *generation = (struct core_generation *)core_handles_at(&core->generations, i);
        if (generation != NULL && generation->hold.account == account && !generation->started &&
            (generation->state == CORE_GENERATION_QUEUED || generation->state == CORE_GENERATION_BACKOFF)) {
            core_generation_fail(core, generation, CORE_FAILURE_SUSPENDED, "its account was suspended");
        }
    }
}

void core_account_set(struct core *core, const struct core_event *event) {
    struct core_account *account = core_account_find(core, event->account.account);
    if (account == NULL) {
        if (!account_has_room(core, event->account.account)) {
            return;
        }
        account = MEM_NEW(struct core_account);
        account->number = event->account.account;
        HASH_ADD(hh, core->accounts, number, sizeof(account->number), account);
    }
    account->concurrent = event->account.concurrent;
    account->suspended = event->account.suspended;
    core_rate_set_limit(&account->rate, event->account.requests_per_minute, core->now_ms);
    if (account->suspended) {
        account_refuse_waiting(core, account);
    }
}

void core_account_credit(struct core *core, const struct core_event *event) {
    struct core_account *account = core_account_find(core, event->credit.account);
    int64_t balance = 0, given = 0;
    if (account == NULL || __builtin_add_overflow(account->balance_nano, event->credit.amount_nano, &balance) ||
        __builtin_add_overflow(account->given_nano, event->credit.given_nano, &given) || balance > CORE_MONEY_MAX ||
        balance < -CORE_MONEY_MAX || given > CORE_MONEY_MAX || given < -CORE_MONEY_MAX) {
        return;
    }
    account->balance_nano = balance;
    account->given_nano = given;
    account->overdrawn = balance < account->held_nano;
}

void core_key_set(struct core *core, const struct core_event *event) {
    struct core_key *key = core_key_find(core, event->key.key);
    if (key == NULL) {
        if (!account_has_room(core, event->key.key)) {
            return;
        }
        key = MEM_NEW(struct core_key);
        key->number = event->key.key;
        key->spent_nano = event->key.spent_nano > 0 ? event->key.spent_nano : 0;
        HASH_ADD(hh, core->keys, number, sizeof(key->number), key);
    }
    key->cap_nano = event->key.cap_nano;
}

void core_accounts_clear(struct core *core) {
    struct core_account *account = core->accounts;
    struct core_key *key = core->keys;
    HASH_CLEAR(hh, core->accounts); /* frees the tables; the objects are still chained */
    HASH_CLEAR(hh, core->keys);
    while (account != NULL) {
        struct core_account *next = (struct core_account *)account->hh.next;
        free(account);
        account = next;
    }
    while (key != NULL) {
        struct core_key *next = (struct core_key *)key->hh.next;
        free(key);
        key = next;
    }
}

bool core_account_view(const struct core *core, uint64_t account, uint64_t now_ms, struct core_account_view *out) {
    const struct core_account *found = core_account_find(core, account);
    if (found == NULL) {
        return false;
    }
    *out = (struct core_account_view){
        .balance_nano = found->balance_nano,
        .held_nano = found->held_nano,
        .given_nano = found->given_nano,
        .active = found->active,
        .concurrent = found->concurrent,
        .requests_per_minute = found->rate.limit,
        .remaining = core_rate_remaining(&found->rate, now_ms),
        .reset_ms = core_rate_reset_ms(&found->rate, now_ms),
        .wait_ms = core_rate_wait_ms(&found->rate, now_ms),
        .suspended = found->suspended,
    };
    return true;
}
