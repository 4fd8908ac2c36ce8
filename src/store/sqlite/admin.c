#include "store/sqlite/admin.h"

#include "base/money.h"
#include "store/ledger.h"
#include "store/sqlite/accounts.h"
#include "store/sqlite/devices.h"
#include "store/sqlite/enrolment.h"
#include "store/sqlite/erase.h"
#include "store/sqlite/escrow.h"
#include "store/sqlite/owed.h"

#include <string.h>

static const char *const admin_actions[STORE_ADMIN_KINDS] = {
    [STORE_ADMIN_ACCOUNT_CREATE] = "account.create",   [STORE_ADMIN_ACCOUNT_TIER] = "account.tier",
    [STORE_ADMIN_ACCOUNT_SUSPEND] = "account.suspend", [STORE_ADMIN_ACCOUNT_AUDITS] = "account.audits",
    [STORE_ADMIN_KEY_CREATE] = "key.create",           [STORE_ADMIN_ACCOUNT_ERASE] = "account.erase",
    [STORE_ADMIN_KEY_REVOKE] = "key.revoke",           [STORE_ADMIN_CREDIT_GRANT] = "credit.grant",
    [STORE_ADMIN_CREDIT_REFUND] = "credit.refund",     [STORE_ADMIN_PAYOUT] = "payout",
    [STORE_ADMIN_DEVICE_VERIFY] = "provider.verify",   [STORE_ADMIN_REVIEWS_CLEAR] = "review.clear",
    [STORE_ADMIN_REVIEWS_ACCEPT] = "review.accept",    [STORE_ADMIN_REVIEWS_DISMISS] = "review.dismiss",
    [STORE_ADMIN_DEVICE_REMOVE] = "provider.remove",   [STORE_ADMIN_DEVICE_QUARANTINE] = "provider.quarantine",
    [STORE_ADMIN_DEVICE_RELEASE] = "provider.release", [STORE_ADMIN_DEVICE_KEY] = "provider.replace_key",
    [STORE_ADMIN_TOKEN_REVOKE] = "invite.revoke",      [STORE_ADMIN_ESCROW_RELEASE] = "escrow.release",
    [STORE_ADMIN_ESCROW_RETURN] = "escrow.return",     [STORE_ADMIN_ESCROW_FORFEIT] = "escrow.forfeit",
};

static bool admin_check_amount(int64_t amount_nano, int64_t least, struct err *err) {
    if (amount_nano < least || amount_nano > STORE_AMOUNT_MAX_NANO) {
        return err_set_field(err, ERR_INVALID, "amount", "The amount must be from %lld to %lld nano-dollars",
                             (long long)least, (long long)STORE_AMOUNT_MAX_NANO);
    }
    return true;
}

/* Posts what comes into an account's wallets (or, negative, goes out of its earnings) from the network's account. */
static bool admin_post(struct ledger *ledger, const struct store_admin *admin, enum ledger_kind kind,
                       const struct ledger_account *account, const struct ledger_entry entries[3], struct err *err) {
    const struct ledger_transaction transaction = {.kind = kind,
                                                   .account_number = account->number,
                                                   .created_ms = admin->now_ms,
                                                   .note = admin->note,
                                                   .entries = {entries[0], entries[1], entries[2]}};
    return ledger_check_bounds(ledger, &transaction, err) && ledger_post(ledger, &transaction, err);
}

static bool admin_grant(struct ledger *ledger, const struct store_admin *admin, bool given, struct store_admin *result,
                        struct err *err) {
    struct ledger_account *account;
    const int64_t amount = admin->amount_nano;
    if (!ledger_find_account(ledger, admin->account.id, &account, err)) {
        return false;
    }
    const struct ledger_entry entries[3] = {{given ? &account->given : &account->wallet, amount},
                                            {&ledger->network[LEDGER_PROMOTIONS], -amount}};
    result->given_nano = given ? amount : 0;
    return admin_post(ledger, admin, given ? LEDGER_GIFT : LEDGER_GRANT, account, entries, err);
}

/* What an account has spent of its paid credit, less what came back: so much was granted, and is not in the wallet. */
static bool admin_paid_spent(struct ledger *ledger, struct ledger_account *account, int64_t *out, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_GRANTED_PAID);
    sqlite_bind_int(&binder, account->number);
    if (!ledger_load(ledger, &account->wallet, err) || !sqlite_next(ledger->db, SQL_GRANTED_PAID, &found, err)) {
        return false;
    }
    struct sqlite_reader reader = sqlite_read(ledger->db, SQL_GRANTED_PAID);
    *out = sqlite_read_int(&reader) - account->wallet.amount_nano;
    sqlite_reset(ledger->db, SQL_GRANTED_PAID);
    *out = *out > 0 ? *out : 0;
    return true;
}

/* Given credit that was spent comes back as given credit: a refund makes no money of it. */
static bool admin_refund(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                         struct err *err) {
    struct ledger_account *account;
    int64_t paid = 0;
    if (!ledger_find_account(ledger, admin->account.id, &account, err) ||
        !admin_paid_spent(ledger, account, &paid, err)) {
        return false;
    }
    paid = paid < admin->amount_nano ? paid : admin->amount_nano;
    result->given_nano = admin->amount_nano - paid;
    const struct ledger_entry entries[3] = {{&account->wallet, paid},
                                            {&account->given, result->given_nano},
                                            {&ledger->network[LEDGER_REFUNDS], -admin->amount_nano}};
    return admin_post(ledger, admin, LEDGER_REFUND, account, entries, err);
}

/* Only what is ripe, is not in escrow, and came from paid credit; nothing to an account that is suspended. */
static bool admin_check_payout(const struct store_owed *owed, int64_t amount_nano, struct err *err) {
    char payable[MONEY_TEXT_SIZE], owes[MONEY_TEXT_SIZE], ripening[MONEY_TEXT_SIZE], escrow[MONEY_TEXT_SIZE];
    if (owed->suspended) {
        return err_set(err, ERR_CONFLICT, "The account is suspended: nothing is paid out to it");
    }
    return amount_nano <= owed->payable_nano ||
           err_set(
               err, ERR_CONFLICT,
               "Only $%s can be paid out now: $%s is owed, of which $%s is not ripe yet; $%s is in escrow. What was "
               "earned from given credit is never paid out",
               money_format_usd(owed->payable_nano, payable), money_format_usd(owed->earnings_nano, owes),
               money_format_usd(owed->ripening_nano, ripening), money_format_usd(owed->escrow_nano, escrow));
}

static bool admin_payout(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    struct ledger_account *account;
    struct store_owed owed;
    if (!ledger_find_account(ledger, admin->account.id, &account, err) ||
        !sqlite_owed_read(ledger->db, account->id, admin->ripe_ms, &owed, err) ||
        !admin_check_payout(&owed, admin->amount_nano, err)) {
        return false;
    }
    const struct ledger_entry entries[3] = {{&account->earnings, -admin->amount_nano},
                                            {&ledger->network[LEDGER_PAYOUTS], admin->amount_nano}};
    return admin_post(ledger, admin, LEDGER_PAYOUT, account, entries, err);
}

static bool admin_money(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                        struct err *err) {
    if (!admin_check_amount(admin->amount_nano, 1, err)) {
        return false;
    }
    return admin->kind == STORE_ADMIN_PAYOUT         ? admin_payout(ledger, admin, err)
           : admin->kind == STORE_ADMIN_CREDIT_GRANT ? admin_grant(ledger, admin, admin->given, result, err)
                                                     : admin_refund(ledger, admin, result, err);
}

static bool admin_add_keys(struct ledger *ledger, const struct store_admin *admin, const char *account_id,
                           struct err *err) {
    if (admin->key_count > COUNT_OF(admin->keys)) {
        return err_set(err, ERR_INVALID, "Too many keys at once");
    }
    for (size_t i = 0; i < admin->key_count; i++) {
        struct store_key key = admin->keys[i];
        (void)str_copy(key.account_id, sizeof(key.account_id), str_from(account_id));
        if (!sqlite_key_add(ledger->db, &key, err)) {
            return false;
        }
    }
    return true;
}

static bool admin_create_account(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                                 struct err *err) {
    struct store_admin grant = *admin;
    if (grant.note[0] == '\0') {
        (void)str_copy(grant.note, sizeof(grant.note), STR("welcome credit"));
    }
    return admin_check_amount(admin->amount_nano, 0, err) && sqlite_account_add(ledger->db, &admin->account, err) &&
           admin_add_keys(ledger, admin, admin->account.id, err) &&
           (admin->amount_nano == 0 || admin_grant(ledger, &grant, admin->given, result, err));
}

static bool admin_create_key(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    struct ledger_account *account;
    if (admin->key_count != 1) {
        return err_set(err, ERR_INVALID, "Exactly one key must be given");
    }
    return ledger_find_account(ledger, admin->keys[0].account_id, &account, err) &&
           admin_add_keys(ledger, admin, account->id, err);
}

static bool admin_revoke_key(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    const struct store_key *key = &admin->keys[0];
    int64_t revoked_ms = key->revoked_ms != 0 ? key->revoked_ms : admin->now_ms;
    if (revoked_ms <= 0) {
        return err_set(err, ERR_INVALID, "The time of the revocation is missing");
    }
    return sqlite_key_revoke(ledger->db, key->id, revoked_ms, err);
}

/* --- Devices --- */

/* What may follow on what. A device that was removed stays so; nothing else is for good. */
static bool admin_may_stand(const struct store_device *device, enum store_standing next, struct err *err) {
    if (device->standing == STORE_STANDING_REMOVED) {
        return err_set(err, ERR_CONFLICT, "The provider %s was removed, and that is for good", device->id);
    }
    return next != STORE_STANDING_SERVING || device->standing == STORE_STANDING_QUARANTINED ||
           err_set(err, ERR_CONFLICT, "The provider %s is not in quarantine", device->id);
}

static bool admin_stand(struct ledger *ledger, const struct store_admin *admin, enum store_standing next,
                        struct err *err) {
    struct store_device device;
    if (!sqlite_device_by_id(ledger->db, admin->device.id, &device, err)) {
        return false;
    }
    if (admin->account.id[0] != '\0' && strcmp(admin->account.id, device.account_id) != 0) {
        return err_set(err, ERR_NOT_FOUND, "There is no provider %s", admin->device.id);
    }
    if (!admin_may_stand(&device, next, err)) {
        return false;
    }
    device.standing = next;
    device.standing_ms = admin->now_ms;
    (void)str_copy(device.standing_reason, sizeof(device.standing_reason), str_from(admin->note));
    return sqlite_device_stand(ledger->db, &device, err);
}

static bool admin_end_review(struct ledger *ledger, const char *device_id, bool in_review, struct err *err) {
    return sqlite_device_set_in_review(ledger->db, device_id, in_review, err) &&
           sqlite_reviews_clear(ledger->db, device_id, err);
}

/* The operator's word about what was found. */
static bool admin_finding(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    const bool accepted = admin->kind == STORE_ADMIN_REVIEWS_ACCEPT;
    struct store_device device;
    int64_t lines = 0;
    if (!sqlite_device_by_id(ledger->db, admin->device.id, &device, err) ||
        !sqlite_reviews_count(ledger->db, device.id, &lines, err)) {
        return false;
    }
    if (lines == 0 && !device.in_review) {
        return err_set(err, ERR_CONFLICT, "Nothing about the provider %s is under review", device.id);
    }
    const bool by_audits = strcmp(device.standing_reason, STORE_STANDING_BY_AUDITS) == 0;
    const bool stands = device.standing != STORE_STANDING_REMOVED &&
                        (accepted || (device.standing == STORE_STANDING_QUARANTINED && by_audits));
    return admin_end_review(ledger, device.id, accepted, err) &&
           (!stands || admin_stand(ledger, admin, accepted ? admin->device.standing : STORE_STANDING_SERVING, err));
}

static bool admin_device_key(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    struct store_device device;
    struct store_join_token token = admin->token;
    if (!sqlite_device_by_id(ledger->db, admin->device.id, &device, err)) {
        return false;
    }
    if (device.standing == STORE_STANDING_REMOVED) {
        return err_set(err, ERR_CONFLICT, "The provider %s was removed, and that is for good", device.id);
    }
    (void)str_copy(token.account_id, sizeof(token.account_id), str_from(device.account_id));
    (void)str_copy(token.device_id, sizeof(token.device_id), str_from(device.id));
    return sqlite_join_token_add(ledger->db, &token, err);
}

static bool admin_revoke_token(struct ledger *ledger, const struct store_admin *admin, struct err *err) {
    struct store_join_token token;
    return sqlite_join_token_by_id(ledger->db, admin->token.id, &token, err) &&
           sqlite_join_token_revoke(ledger->db, admin->token.id, admin->now_ms, err);
}

static bool admin_apply(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                        struct err *err) {
    switch (admin->kind) {
    case STORE_ADMIN_ACCOUNT_CREATE:
        return admin_create_account(ledger, admin, result, err);
    case STORE_ADMIN_ACCOUNT_TIER:
        return sqlite_account_set_tier(ledger->db, admin->account.id, admin->account.tier, err);
    case STORE_ADMIN_ACCOUNT_SUSPEND:
        return sqlite_account_suspend(ledger->db, admin->account.id, admin->account.suspended, err);
    case STORE_ADMIN_ACCOUNT_AUDITS:
        return sqlite_account_set_unaudited(ledger->db, admin->account.id, admin->account.unaudited, err);
    case STORE_ADMIN_ACCOUNT_ERASE:
        return sqlite_account_erase(ledger, admin->account.id, admin->now_ms, err);
    case STORE_ADMIN_KEY_CREATE:
        return admin_create_key(ledger, admin, err);
    case STORE_ADMIN_KEY_REVOKE:
        return admin_revoke_key(ledger, admin, err);
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
    case STORE_ADMIN_PAYOUT:
        return admin_money(ledger, admin, result, err);
    case STORE_ADMIN_DEVICE_VERIFY:
        return sqlite_device_verify(ledger->db, admin->device.id, admin->device.verified, err);
    case STORE_ADMIN_REVIEWS_CLEAR:
        return admin_end_review(ledger, admin->device.id, false, err);
    case STORE_ADMIN_REVIEWS_ACCEPT:
    case STORE_ADMIN_REVIEWS_DISMISS:
        return admin_finding(ledger, admin, err);
    case STORE_ADMIN_DEVICE_REMOVE:
        return admin_stand(ledger, admin, STORE_STANDING_REMOVED, err);
    case STORE_ADMIN_DEVICE_QUARANTINE:
        return admin_stand(ledger, admin, STORE_STANDING_QUARANTINED, err);
    case STORE_ADMIN_DEVICE_RELEASE:
        return admin_stand(ledger, admin, STORE_STANDING_SERVING, err);
    case STORE_ADMIN_DEVICE_KEY:
        return admin_device_key(ledger, admin, err);
    case STORE_ADMIN_TOKEN_REVOKE:
        return admin_revoke_token(ledger, admin, err);
    case STORE_ADMIN_ESCROW_RELEASE:
    case STORE_ADMIN_ESCROW_RETURN:
    case STORE_ADMIN_ESCROW_FORFEIT:
        return sqlite_escrow_end(ledger, admin, result, err);
    }
    return err_set(err, ERR_INVALID, "unknown kind of admin action");
}

/* What an action is about, beside an account. What a device has in escrow is of the account that the action found. */
enum admin_about { ADMIN_ABOUT_ACCOUNT, ADMIN_ABOUT_KEY, ADMIN_ABOUT_DEVICE, ADMIN_ABOUT_TOKEN, ADMIN_ABOUT_ESCROW };

static enum admin_about admin_about(const struct store_admin *admin) {
    switch (admin->kind) {
    case STORE_ADMIN_KEY_CREATE:
    case STORE_ADMIN_KEY_REVOKE:
        return ADMIN_ABOUT_KEY;
    case STORE_ADMIN_DEVICE_VERIFY:
    case STORE_ADMIN_REVIEWS_CLEAR:
    case STORE_ADMIN_REVIEWS_ACCEPT:
    case STORE_ADMIN_REVIEWS_DISMISS:
    case STORE_ADMIN_DEVICE_REMOVE:
    case STORE_ADMIN_DEVICE_QUARANTINE:
    case STORE_ADMIN_DEVICE_RELEASE:
    case STORE_ADMIN_DEVICE_KEY:
        return ADMIN_ABOUT_DEVICE;
    case STORE_ADMIN_TOKEN_REVOKE:
        return ADMIN_ABOUT_TOKEN;
    case STORE_ADMIN_ESCROW_RELEASE:
    case STORE_ADMIN_ESCROW_RETURN:
    case STORE_ADMIN_ESCROW_FORFEIT:
        return ADMIN_ABOUT_ESCROW;
    case STORE_ADMIN_ACCOUNT_CREATE:
    case STORE_ADMIN_ACCOUNT_TIER:
    case STORE_ADMIN_ACCOUNT_SUSPEND:
    case STORE_ADMIN_ACCOUNT_AUDITS:
    case STORE_ADMIN_ACCOUNT_ERASE:
    case STORE_ADMIN_CREDIT_GRANT:
    case STORE_ADMIN_CREDIT_REFUND:
    case STORE_ADMIN_PAYOUT:
        break;
    }
    return ADMIN_ABOUT_ACCOUNT;
}

static bool admin_read_keys(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                            struct err *err) {
    const size_t known = admin->kind == STORE_ADMIN_ACCOUNT_CREATE ? admin->key_count : 0;
    result->key_count = admin_about(admin) == ADMIN_ABOUT_KEY ? 1 : known;
    for (size_t i = 0; i < result->key_count; i++) {
        if (!sqlite_key_by_id(ledger->db, admin->keys[i].id, &result->keys[i], err)) {
            return false;
        }
    }
    return true;
}

/* The account, device, token and keys as they are now; ERR_NOT_FOUND for those that a change did not meet. */
static bool admin_read_back(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                            struct err *err) {
    const char *account_id = result->account.id;
    if (!admin_read_keys(ledger, admin, result, err)) {
        return false;
    }
    switch (admin_about(admin)) {
    case ADMIN_ABOUT_ACCOUNT:
    case ADMIN_ABOUT_ESCROW:
        break;
    case ADMIN_ABOUT_KEY:
        account_id = result->keys[0].account_id;
        break;
    case ADMIN_ABOUT_DEVICE:
        if (!sqlite_device_by_id(ledger->db, admin->device.id, &result->device, err)) {
            return false;
        }
        account_id = result->device.account_id;
        break;
    case ADMIN_ABOUT_TOKEN:
        if (!sqlite_join_token_by_id(ledger->db, admin->token.id, &result->token, err)) {
            return false;
        }
        account_id = result->token.account_id;
        break;
    }
    return sqlite_account_find(ledger->db, account_id, &result->account, err);
}

static const char *admin_subject(const struct store_admin *result) {
    switch (admin_about(result)) {
    case ADMIN_ABOUT_ACCOUNT:
        break;
    case ADMIN_ABOUT_KEY:
        return result->keys[0].id;
    case ADMIN_ABOUT_DEVICE:
    case ADMIN_ABOUT_ESCROW:
        return result->device.id;
    case ADMIN_ABOUT_TOKEN:
        return result->token.id;
    }
    return result->account.id;
}

static const char *admin_detail(const struct store_admin *admin) {
    if (admin->kind == STORE_ADMIN_ACCOUNT_TIER) {
        return store_tier_name(admin->account.tier);
    }
    if (admin->kind == STORE_ADMIN_ACCOUNT_SUSPEND) {
        return admin->account.suspended ? "suspended" : "resumed";
    }
    if (admin->kind == STORE_ADMIN_ACCOUNT_AUDITS) {
        return admin->account.unaudited ? "off" : "on";
    }
    if (admin->kind == STORE_ADMIN_DEVICE_VERIFY) {
        return admin->device.verified ? "verified" : "not verified";
    }
    return admin->note;
}

static bool admin_audit(struct ledger *ledger, const struct store_admin *admin, const struct store_admin *result,
                        struct err *err) {
    struct sqlite_binder binder = sqlite_bind(ledger->db, SQL_AUDIT_ADD);
    sqlite_bind_int(&binder, admin->now_ms);
    sqlite_bind_text(&binder, admin->actor == NULL ? "" : admin->actor);
    sqlite_bind_text(&binder, admin_actions[admin->kind]);
    sqlite_bind_text(&binder, admin_subject(result));
    sqlite_bind_int(&binder, result->amount_nano);
    sqlite_bind_text(&binder, admin_detail(admin));
    return sqlite_run(ledger->db, SQL_AUDIT_ADD, err);
}

static bool admin_inside(struct ledger *ledger, const struct store_admin *admin, struct store_admin *result,
                         struct err *err) {
    *result = *admin;
    return admin_apply(ledger, admin, result, err) && ledger_flush(ledger, err) &&
           admin_read_back(ledger, admin, result, err) && admin_audit(ledger, admin, result, err);
}

static bool admin_act(struct store_connection *connection, const struct store_admin *admin, struct store_admin *result,
                      struct err *err) {
    struct ledger *ledger = ledger_of(connection);
    /* What the group has done so far goes to the database first: a refusal rolls back to here and forgets the rest. */
    if (!ledger_flush(ledger, err) || !sqlite_run(ledger->db, SQL_SAVEPOINT, err)) {
        return false;
    }
    if (admin_inside(ledger, admin, result, err)) {
        return sqlite_run(ledger->db, SQL_SAVEPOINT_RELEASE, err);
    }
    struct err undo;
    ledger_forget(ledger);
    if (!sqlite_run(ledger->db, SQL_SAVEPOINT_ROLLBACK, &undo) ||
        !sqlite_run(ledger->db, SQL_SAVEPOINT_RELEASE, &undo)) {
        *err = undo;
    }
    return false;
}

/* --- The audit log --- */

static void audit_read(struct sqlite_db *db, enum sql sql, struct store_audit *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    out->number = sqlite_read_int(&reader);
    out->created_ms = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->actor, sizeof(out->actor));
    sqlite_read_text(&reader, out->action, sizeof(out->action));
    sqlite_read_text(&reader, out->subject, sizeof(out->subject));
    out->amount_nano = sqlite_read_int(&reader);
    sqlite_read_text(&reader, out->note, sizeof(out->note));
}

static bool audit_each(struct store_connection *connection, bool (*row)(void *context, const struct store_audit *audit),
                       void *context, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct store_audit audit;
    while ((ok = sqlite_next(db, SQL_AUDIT_EACH, &found, err)) && found) {
        audit_read(db, SQL_AUDIT_EACH, &audit);
        if (!row(context, &audit)) {
            break;
        }
    }
    sqlite_reset(db, SQL_AUDIT_EACH);
    return ok;
}

static bool audit_page(struct store_connection *connection, int64_t before, size_t limit, struct store_audit *rows,
                       size_t *count, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool ok, found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_AUDIT_PAGE);
    sqlite_bind_int(&binder, before);
    sqlite_bind_int(&binder, (int64_t)limit);
    *count = 0;
    while ((ok = sqlite_next(db, SQL_AUDIT_PAGE, &found, err)) && found) {
        audit_read(db, SQL_AUDIT_PAGE, &rows[(*count)++]);
    }
    return ok;
}

const struct store_admin_rows sqlite_admin_rows = {
    .act = admin_act, .audit_each = audit_each, .audit_page = audit_page};
