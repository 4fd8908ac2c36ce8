#include "cmd/owner.h"

#include "base/clock.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/money.h"
#include "base/random.h"
#include "store/admin.h"
#include "store/enrolment.h"
#include "store/ledger.h"
#include "store/store.h"

#include <stdio.h>
#include <string.h>

enum { OWNER_FILE_MAX = 4096 };

static const char OWN_USE_SETTING[] = "owner_own_use_usd";

bool owner_store_path(const char *data_folder, char out[FILE_PATH_MAX], struct err *err) {
    return file_make_folders(data_folder, err) && file_join(out, data_folder, "nataris.db", err);
}

static void make_id(char *out, size_t size, const char *prefix) {
    char suffix[21];
    random_base62(suffix, sizeof(suffix) - 1);
    snprintf(out, size, "%s%s", prefix, suffix);
}

static struct store_admin begin_action(enum store_admin_kind kind) {
    return (struct store_admin){.kind = kind, .actor = "up", .now_ms = clock_wall_ms()};
}

static bool create_account(struct store *store, struct store_account *account, struct err *err) {
    struct store_admin action = begin_action(STORE_ADMIN_ACCOUNT_CREATE), result;
    action.account = (struct store_account){
        .owner = true, .tier = STORE_TIER_UNLIMITED, .created_ms = action.now_ms, .name = "owner"};
    action.amount_nano = STORE_WELCOME_CREDIT_NANO; /* paid credit: the operator owes what it earns others */
    make_id(action.account.id, sizeof(action.account.id), "acct_");
    if (!store_admin_now(store, &action, &result, err)) {
        return false;
    }
    *account = result.account;
    return true;
}

/* The setting comes after the grant: ending in between costs a second grant of the operator's own promises, while the
 * other order could leave a network that stops. */
static bool ensure_own_use(struct store *store, struct store_account *account, struct err *err) {
    char granted[MONEY_TEXT_SIZE];
    struct store_admin action = begin_action(STORE_ADMIN_CREDIT_GRANT), result;
    if (store_setting_get(store, OWN_USE_SETTING, granted, sizeof(granted), err)) {
        return true;
    }
    if (err->code != ERR_NOT_FOUND) {
        return false;
    }
    action.amount_nano = OWNER_OWN_USE_NANO;
    (void)str_copy(action.account.id, sizeof(action.account.id), str_from(account->id));
    (void)str_copy(action.note, sizeof(action.note), STR("own use"));
    if (!store_admin_now(store, &action, &result, err)) {
        return false;
    }
    *account = result.account;
    return store_setting_set(store, OWN_USE_SETTING, money_format_usd(OWNER_OWN_USE_NANO, granted), err);
}

static bool ensure_account(struct store *store, struct store_account *account, struct err *err) {
    if (!store_account_owner(store, account, err) &&
        (err->code != ERR_NOT_FOUND || !create_account(store, account, err))) {
        return false;
    }
    return ensure_own_use(store, account, err);
}

static bool add_key(struct store *store, const struct store_account *account, enum store_key_kind kind,
                    char secret[KEY_SIZE], struct err *err) {
    struct store_admin action = begin_action(STORE_ADMIN_KEY_CREATE), result;
    struct store_key *key = &action.keys[0];
    action.key_count = 1;
    *key = (struct store_key){.kind = kind, .created_ms = action.now_ms, .cap_nano = -1, .name = "owner"};
    key_generate(kind, secret);
    key_hash(str_from(secret), key->sha256);
    make_id(key->id, sizeof(key->id), "key_");
    (void)str_copy(key->account_id, sizeof(key->account_id), str_from(account->id));
    return store_admin_now(store, &action, &result, err);
}

static bool read_member(struct json_value root, const char *name, char out[KEY_SIZE]) {
    struct json_value value;
    struct str text;
    enum store_key_kind kind;
    return json_get(root, name, &value) && json_as_str(value, &text) && key_check(text, &kind) &&
           str_copy(out, KEY_SIZE, text);
}

/* False with ERR_NOT_FOUND when there is no file yet. */
static bool read_keys(const char *path, struct owner *owner, struct err *err) {
    struct buf text;
    struct json_value root;
    buf_init(&text, OWNER_FILE_MAX);
    struct json_parser *parser = json_parser_new(OWNER_FILE_MAX, 4);
    bool ok = file_read(path, &text, err);
    if (ok) {
        ok = json_parse(parser, buf_str(&text), &root, err) && read_member(root, "api_key", owner->live_key) &&
             read_member(root, "test_key", owner->test_key);
        if (!ok) {
            err_set(err, ERR_INVALID, "%s is damaged; move it away to get new keys", path);
        }
    }
    json_parser_free(parser);
    buf_clear(&text);
    return ok;
}

static bool write_keys(const char *path, const struct owner *owner, struct err *err) {
    struct buf text;
    struct json_writer writer;
    buf_init(&text, OWNER_FILE_MAX);
    json_writer_init(&writer, &text);
    json_begin_object(&writer);
    json_member_cstr(&writer, "account_id", owner->account.id);
    json_member_cstr(&writer, "api_key", owner->live_key);
    json_member_cstr(&writer, "test_key", owner->test_key);
    json_end_object(&writer);
    const bool ok = file_write_atomic(path, buf_str(&text), 0600, err);
    buf_clear(&text);
    return ok;
}

bool owner_ensure(struct store *store, const char *data_folder, struct owner *owner, struct err *err) {
    char path[FILE_PATH_MAX];
    if (!file_join(path, data_folder, "owner.json", err) || !ensure_account(store, &owner->account, err)) {
        return false;
    }
    if (read_keys(path, owner, err)) {
        return true;
    }
    if (err->code != ERR_NOT_FOUND) {
        return false;
    }
    /* The file first would show keys that may never work; the store first leaves at worst two unused hashes. */
    return add_key(store, &owner->account, STORE_KEY_LIVE, owner->live_key, err) &&
           add_key(store, &owner->account, STORE_KEY_TEST, owner->test_key, err) && write_keys(path, owner, err);
}

bool owner_invite(struct store *store, const struct owner *owner, uint32_t valid_hours, uint32_t uses,
                  char token[JOIN_TOKEN_SIZE], struct err *err) {
    struct store_join_token row = {.created_ms = clock_wall_ms(), .uses = uses};
    row.expires_ms = row.created_ms + (int64_t)valid_hours * 3600 * 1000;
    join_token_generate(token);
    join_token_hash(str_from(token), row.sha256);
    (void)str_copy(row.account_id, sizeof(row.account_id), str_from(owner->account.id));
    return store_join_token_add(store, &row, err);
}
