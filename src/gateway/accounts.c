#include "gateway/accounts.h"

#include "base/clock.h"
#include "base/mem.h"
#include "gateway/escrow.h"

#include <stdlib.h>

enum { ACCOUNT_CHANGES = 10, ACCOUNT_CHANGES_MS = 60 * 60 * 1000 };

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

static void tell_credit(struct accounts *accounts, const struct store_account *account, int64_t amount_nano,
                        int64_t given_nano) {
    core_loop_step(&accounts->shell->core,
                   &(struct core_event){
                       .kind = CORE_EVENT_CREDIT,
                       .credit = {.account = account->number, .amount_nano = amount_nano, .given_nano = given_nano}});
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
    audit_captures_set_unaudited(&accounts->shell->captures, account->number, account->unaudited);
    if (!known(accounts, account->number)) {
        tell_limits(accounts, account);
        tell_credit(accounts, account, account->balance_nano, account->given_nano);
    }
    tell_key(accounts, key);
}

/* The operator's own devices are trusted; a store without an owner's account has none. */
static bool find_owner(const struct accounts *accounts, struct err *err) {
    struct providers *providers = &accounts->shell->providers;
    struct store_account owner;
    if (store_account_owner(accounts->store, &owner, err)) {
        return str_copy(providers->owner_id, sizeof(providers->owner_id), str_from(owner.id));
    }
    return err->code == ERR_NOT_FOUND;
}

bool accounts_open(struct accounts *accounts, struct err *err) {
    auth_watch(accounts->auth, on_key, accounts);
    return find_owner(accounts, err) && auth_load_open(accounts->auth, err);
}

struct admin_pending {
    struct accounts *accounts;
    struct store_admin action; /* for a further step */
    char actor[STORE_ID_MAX];
    struct store_admin found; /* a finding that was accepted or dismissed: the result, before escrow */
    bool is_finding;
    int64_t amount_nano, given_nano; /* of the steps so far */
    admin_done *done;
    void *done_context;
};

static void learn_finding(struct accounts *accounts, const struct store_admin *result) {
    if (result->kind == STORE_ADMIN_REVIEWS_DISMISS) {
        audit_book_dismiss(&accounts->shell->audit_book, result->device.id);
    }
    providers_reviewed(&accounts->shell->providers, &result->device);
    providers_stands(&accounts->shell->providers, &result->device);
}

/* Of an account that the core does not know it learns when that is read. */
static void learn(struct accounts *accounts, const struct store_admin *result) {
    switch (result->kind) {
    case STORE_ADMIN_ACCOUNT_SUSPEND:
        if (result->account.suspended) {
            providers_suspended(&accounts->shell->providers, result->account.id);
        }
        __attribute__((fallthrough));
    case STORE_ADMIN_ACCOUNT_TIER:
        if (known(accounts, result->account.number)) {
            tell_limits(accounts, &result->account);
        }
        break;
    case STORE_ADMIN_ACCOUNT_AUDITS:
        audit_captures_set_unaudited(&accounts->shell->captures, result->account.number, result->account.unaudited);
        return;
    case STORE_ADMIN_ACCOUNT_ERASE:
        auth_remove_account(accounts->auth, result->account.id);
        providers_suspended(&accounts->shell->providers, result->account.id);
        if (known(accounts, result->account.number)) {
            tell_limits(accounts, &result->account);
        }
        return;
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
    case STORE_ADMIN_ESCROW_RETURN:
        tell_credit(accounts, &result->account, result->amount_nano, result->given_nano);
        break;
    case STORE_ADMIN_ESCROW_RELEASE: /* the rest is what it is owed, which the core does not know of */
        tell_credit(accounts, &result->account, result->given_nano, result->given_nano);
        break;
    case STORE_ADMIN_KEY_REVOKE:
        auth_remove_key(accounts->auth, result->keys[0].id);
        return;
    case STORE_ADMIN_DEVICE_VERIFY:
        providers_verified(&accounts->shell->providers, &result->device);
        return;
    case STORE_ADMIN_DEVICE_RELEASE: /* the operator's word ends what audits have found, too */
        audit_book_dismiss(&accounts->shell->audit_book, result->device.id);
        providers_stands(&accounts->shell->providers, &result->device);
        return;
    case STORE_ADMIN_DEVICE_REMOVE:
    case STORE_ADMIN_DEVICE_QUARANTINE:
        providers_stands(&accounts->shell->providers, &result->device);
        return;
    case STORE_ADMIN_REVIEWS_CLEAR:
        audit_book_dismiss(&accounts->shell->audit_book, result->device.id);
        providers_reviewed(&accounts->shell->providers, &result->device);
        return;
    case STORE_ADMIN_REVIEWS_ACCEPT:
    case STORE_ADMIN_REVIEWS_DISMISS:
        learn_finding(accounts, result);
        return;
    case STORE_ADMIN_ACCOUNT_CREATE:
    case STORE_ADMIN_KEY_CREATE:
    case STORE_ADMIN_ESCROW_FORFEIT:
    case STORE_ADMIN_PAYOUT:
    case STORE_ADMIN_DEVICE_KEY:
    case STORE_ADMIN_TOKEN_REVOKE:
        break;
    }
    for (size_t i = 0; i < result->key_count; i++) {
        auth_expect_key(accounts->auth, result->keys[i].sha256);
    }
}

/* Escrow ends for one account at a time. */
static bool has_further_step(const struct store_admin *result) {
    return result->left > 0 &&
           (result->kind == STORE_ADMIN_ESCROW_RELEASE || result->kind == STORE_ADMIN_ESCROW_RETURN ||
            result->kind == STORE_ADMIN_ESCROW_FORFEIT);
}

static void on_result(void *context, const struct store_admin *result, const struct err *err);

static void end_escrow(void *context) {
    struct admin_pending *pending = context;
    store_admin(pending->accounts->store, &pending->action, on_result, pending);
}

/* What was found is decided; now it is about money. */
static void go_on_with_escrow(struct admin_pending *pending, const struct store_admin *result) {
    const struct accounts *accounts = pending->accounts;
    const bool accepted = result->kind == STORE_ADMIN_REVIEWS_ACCEPT;
    pending->found = *result;
    pending->is_finding = true;
    pending->action.kind = pending->action.then;
    if (accepted) { /* also where what was found was of single jobs */
        escrow_take(&accounts->shell->core, accounts->store, result->device.id, end_escrow, pending);
    } else {
        end_escrow(pending);
    }
}

static void on_result(void *context, const struct store_admin *result, const struct err *err) {
    struct admin_pending *pending = context;
    struct store_admin whole;
    const bool nothing_left = err != NULL && pending->is_finding && err->code == ERR_NOT_FOUND;
    if (err == NULL && (result->kind == STORE_ADMIN_REVIEWS_ACCEPT || result->kind == STORE_ADMIN_REVIEWS_DISMISS)) {
        learn(pending->accounts, result);
        go_on_with_escrow(pending, result);
        return;
    }
    if (err == NULL) {
        learn(pending->accounts, result);
        pending->amount_nano += result->amount_nano;
        pending->given_nano += result->given_nano;
        if (has_further_step(result)) {
            store_admin(pending->accounts->store, &pending->action, on_result, pending);
            return;
        }
    }
    if (err == NULL || nothing_left) {
        whole = pending->is_finding ? pending->found : *result;
        whole.amount_nano = pending->amount_nano;
        whole.given_nano = pending->given_nano;
    }
    const bool good = err == NULL || nothing_left;
    pending->done(pending->done_context, good ? &whole : NULL, good ? NULL : err);
    free(pending);
}

void accounts_execute(struct accounts *accounts, const struct store_admin *action, admin_done *done,
                      void *done_context) {
    struct admin_pending *pending = MEM_NEW(struct admin_pending);
    *pending =
        (struct admin_pending){.accounts = accounts, .action = *action, .done = done, .done_context = done_context};
    (void)str_copy(pending->actor, sizeof(pending->actor), str_from(action->actor != NULL ? action->actor : ""));
    pending->action.actor = pending->actor;
    store_admin(accounts->store, action, on_result, pending);
}

void accounts_remove_device(struct accounts *accounts, const char *account_id, const char *device_id, admin_done *done,
                            void *done_context) {
    struct store_admin action = {
        .kind = STORE_ADMIN_DEVICE_REMOVE, .actor = "owner", .now_ms = clock_wall_ms(), .note = "removed by its owner"};
    (void)str_copy(action.account.id, sizeof(action.account.id), str_from(account_id));
    (void)str_copy(action.device.id, sizeof(action.device.id), str_from(device_id));
    accounts_execute(accounts, &action, done, done_context);
}

/* --- What an account changes of itself --- */

static uint64_t change_wait_ms(void *context, const struct auth_identity *identity) {
    struct accounts *accounts = context;
    call_rates_set_if_new(&accounts->changes, identity->account_number, ACCOUNT_CHANGES, ACCOUNT_CHANGES_MS);
    return call_rates_take(&accounts->changes, identity->account_number, core_loop_now_ms(&accounts->shell->core));
}

static void audits_set(void *context, const char *account_id, bool audits, admin_done *done, void *done_context) {
    struct store_admin action = {.kind = STORE_ADMIN_ACCOUNT_AUDITS, .actor = "owner", .now_ms = clock_wall_ms()};
    (void)str_copy(action.account.id, sizeof(action.account.id), str_from(account_id));
    action.account.unaudited = !audits;
    accounts_execute(context, &action, done, done_context);
}

struct api_accounts accounts_for_api(struct accounts *accounts) {
    return (struct api_accounts){.context = accounts, .change_wait_ms = change_wait_ms, .audits_set = audits_set};
}

void accounts_clear(struct accounts *accounts) {
    call_rates_clear(&accounts->changes);
}
