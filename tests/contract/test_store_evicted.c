/* Who is let in and who is not any more: removed and quarantined devices, suspended accounts, join tokens that are
 * taken back, devices that move to another account, keys that are replaced. All of it holds after a restart. */
#include "store/admin.h"
#include "store/enrolment.h"
#include "support/store_fixture.h"
#include "wire/join_token.h"

struct seen {
    struct store_device device;
    struct err err;
    struct store_admin result;
    struct store_join_token tokens[8];
    size_t count;
    bool more;
};

static void keep_err(struct seen *seen, const struct err *err) {
    seen->err = err != NULL ? *err : (struct err){0};
}

static void on_enrolled(void *context, const struct store_device *device, const struct err *err) {
    struct seen *seen = context;
    keep_err(seen, err);
    seen->device = device != NULL ? *device : (struct store_device){0};
    assert_true((device == NULL) == (err != NULL));
}

static void on_admin(void *context, const struct store_admin *result, const struct err *err) {
    struct seen *seen = context;
    keep_err(seen, err);
    if (result != NULL) {
        seen->result = *result;
    }
}

static void on_tokens(void *context, const struct store_join_token *tokens, size_t count, bool more,
                      const struct err *err) {
    struct seen *seen = context;
    keep_err(seen, err);
    seen->count = count;
    seen->more = more;
    for (size_t i = 0; i < count && i < COUNT_OF(seen->tokens); i++) {
        seen->tokens[i] = tokens[i];
    }
}

/* The device of the key that is this letter all over. */
static struct seen come(struct store_fixture *fixture, char key, const char *token) {
    struct seen seen = {0};
    struct store_device device = {.created_ms = STORE_FIXTURE_NOW_MS};
    snprintf(device.id, sizeof(device.id), "prov_%c", key);
    memset(device.public_key, key, sizeof(device.public_key));
    store_device_enrol(fixture->store, device.public_key, str_from(token), &device, on_enrolled, &seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return seen;
}

static struct store_admin action(enum store_admin_kind kind, const char *device_id) {
    struct store_admin admin = {.kind = kind, .actor = "cli", .now_ms = STORE_FIXTURE_NOW_MS};
    str_copy(admin.device.id, sizeof(admin.device.id), str_from(device_id));
    return admin;
}

static struct seen act(struct store_fixture *fixture, const struct store_admin *admin) {
    struct seen seen = {0};
    store_admin(fixture->store, admin, on_admin, &seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return seen;
}

static enum err_code stand(struct store_fixture *fixture, enum store_admin_kind kind, const char *device_id,
                           const char *reason) {
    struct store_admin admin = action(kind, device_id);
    str_copy(admin.note, sizeof(admin.note), str_from(reason));
    return act(fixture, &admin).err.code;
}

static enum err_code suspend(struct store_fixture *fixture, const char *account_id, bool suspended) {
    struct store_admin admin = action(STORE_ADMIN_ACCOUNT_SUSPEND, "");
    str_copy(admin.account.id, sizeof(admin.account.id), str_from(account_id));
    admin.account.suspended = suspended;
    return act(fixture, &admin).err.code;
}

static struct seen tokens_of(struct store_fixture *fixture, const char *after, unsigned limit) {
    struct seen seen = {0};
    store_join_tokens_read(fixture->store, after, limit, on_tokens, &seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return seen;
}

static void restart(struct store_fixture *fixture) {
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
}

static char ada[JOIN_TOKEN_SIZE], bob[JOIN_TOKEN_SIZE];

static void add_token(struct store_fixture *fixture, const char *account_id, int64_t created_ms,
                      char out[JOIN_TOKEN_SIZE]) {
    struct store_join_token token = {.uses = 3, .created_ms = created_ms, .expires_ms = STORE_FIXTURE_NOW_MS + 1};
    join_token_generate(out);
    join_token_hash(str_from(out), token.sha256);
    str_copy(token.account_id, sizeof(token.account_id), str_from(account_id));
    assert_true(store_join_token_add(fixture->store, &token, &fixture->err));
}

/* Device a of Ada, b of Bob; both tokens are good for two more. */
static int setup(void **state) {
    static const char *const accounts[] = {"acct_ada", "acct_bob"};
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(accounts); i++) {
        struct store_account account = store_fixture_account(accounts[i], false);
        assert_true(store_account_add(fixture->store, &account, &fixture->err));
    }
    add_token(fixture, "acct_ada", 1, ada);
    add_token(fixture, "acct_bob", 2, bob);
    store_fixture_start(fixture);
    assert_string_equal(come(fixture, 'a', ada).device.account_id, "acct_ada");
    assert_string_equal(come(fixture, 'b', bob).device.account_id, "acct_bob");
    return 0;
}

static void check_refused(const struct seen *seen, const char *words) {
    assert_int_equal(seen->err.code, ERR_DENIED);
    assert_non_null(strstr(seen->err.message, words));
    assert_true(strlen(seen->err.message) <= 123); /* the reason of a close frame, RFC 6455 5.5.1 */
}

static void test_a_removed_device_never_comes_back(void **state) {
    struct store_fixture *fixture = *state;
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", "it lied"), ERR_NONE);
    for (int i = 0; i < 2; i++) {
        struct seen seen = come(fixture, 'a', "");
        check_refused(&seen, "removed");
        seen = come(fixture, 'a', ada);
        check_refused(&seen, "removed");
        seen = come(fixture, 'a', bob); /* nor as somebody else's */
        check_refused(&seen, "removed");
        restart(fixture);
    }
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", ""), ERR_CONFLICT);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_QUARANTINE, "prov_a", ""), ERR_CONFLICT);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_RELEASE, "prov_a", ""), ERR_CONFLICT);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_x", ""), ERR_NOT_FOUND);
    assert_int_equal(tokens_of(fixture, "", 1).tokens[0].uses, 2); /* none was used for it */
    assert_string_equal(come(fixture, 'b', "").device.id, "prov_b");
}

/* An owner removes what is its own, and nothing else. */
static void test_an_owner_removes_only_its_own(void **state) {
    struct store_fixture *fixture = *state;
    struct store_admin admin = action(STORE_ADMIN_DEVICE_REMOVE, "prov_b");
    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_ada"));
    assert_int_equal(act(fixture, &admin).err.code, ERR_NOT_FOUND);
    assert_string_equal(come(fixture, 'b', "").device.id, "prov_b");
    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_bob"));
    const struct seen seen = act(fixture, &admin);
    assert_int_equal(seen.err.code, ERR_NONE);
    assert_int_equal(seen.result.device.standing, STORE_STANDING_REMOVED);
}

static void test_quarantine_is_kept(void **state) {
    struct store_fixture *fixture = *state;
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_RELEASE, "prov_a", ""), ERR_CONFLICT);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_QUARANTINE, "prov_a", "wrong answers"), ERR_NONE);
    restart(fixture);
    struct seen seen = come(fixture, 'a', "");
    assert_int_equal(seen.device.standing, STORE_STANDING_QUARANTINED);
    assert_string_equal(seen.device.standing_reason, "wrong answers");
    assert_int_equal(seen.device.standing_ms, STORE_FIXTURE_NOW_MS);
    seen = come(fixture, 'a', bob); /* it cannot be left by moving to another account */
    assert_string_equal(seen.device.account_id, "acct_bob");
    assert_int_equal(seen.device.standing, STORE_STANDING_QUARANTINED);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_RELEASE, "prov_a", ""), ERR_NONE);
    seen = come(fixture, 'a', "");
    assert_int_equal(seen.device.standing, STORE_STANDING_SERVING);
    assert_string_equal(seen.device.standing_reason, "");
}

static void test_a_suspended_account_is_out(void **state) {
    struct store_fixture *fixture = *state;
    struct store_admin payout = {.kind = STORE_ADMIN_PAYOUT, .actor = "cli", .amount_nano = 1, .now_ms = 1};
    assert_int_equal(suspend(fixture, "acct_ada", true), ERR_NONE);
    restart(fixture);
    struct seen seen = come(fixture, 'a', "");
    check_refused(&seen, "suspended");
    seen = come(fixture, 'a', bob); /* nor may its devices go elsewhere */
    check_refused(&seen, "suspended");
    seen = come(fixture, 'n', ada);
    check_refused(&seen, "suspended");
    seen = come(fixture, 'b', ada);
    check_refused(&seen, "suspended");
    assert_string_equal(come(fixture, 'b', "").device.account_id, "acct_bob");
    str_copy(payout.account.id, sizeof(payout.account.id), STR("acct_ada"));
    seen = act(fixture, &payout);
    assert_int_equal(seen.err.code, ERR_CONFLICT);
    assert_non_null(strstr(seen.err.message, "suspended"));
    assert_int_equal(suspend(fixture, "acct_ada", false), ERR_NONE);
    assert_string_equal(come(fixture, 'a', "").device.id, "prov_a");
    assert_string_equal(come(fixture, 'n', ada).device.account_id, "acct_ada");
}

static void test_a_token_moves_a_device(void **state) {
    struct store_fixture *fixture = *state;
    struct store_admin verify = action(STORE_ADMIN_DEVICE_VERIFY, "prov_a");
    verify.device.verified = true;
    assert_int_equal(act(fixture, &verify).err.code, ERR_NONE);
    struct seen seen = come(fixture, 'a', bob);
    assert_string_equal(seen.device.id, "prov_a");
    assert_string_equal(seen.device.account_id, "acct_bob");
    assert_false(seen.device.verified); /* it was somebody else's device that the operator looked at */
    assert_int_equal(tokens_of(fixture, "", 1).tokens[0].uses, 1);
    restart(fixture);
    assert_string_equal(come(fixture, 'a', bob).device.account_id, "acct_bob"); /* the same options again */
    assert_int_equal(tokens_of(fixture, "", 1).tokens[0].uses, 1);
    assert_string_equal(come(fixture, 'a', "").device.account_id, "acct_bob");
    assert_string_equal(come(fixture, 'a', ada).device.account_id, "acct_ada"); /* and back */
}

static void revoke_token(struct store_fixture *fixture, const char *id, enum err_code code) {
    struct store_admin admin = action(STORE_ADMIN_TOKEN_REVOKE, "");
    str_copy(admin.token.id, sizeof(admin.token.id), str_from(id));
    const struct seen seen = act(fixture, &admin);
    assert_int_equal(seen.err.code, code);
    if (code == ERR_NONE) {
        assert_string_equal(seen.result.token.id, id);
        assert_int_equal(seen.result.token.revoked_ms, STORE_FIXTURE_NOW_MS);
    }
}

static void test_tokens_are_listed_and_revoked(void **state) {
    struct store_fixture *fixture = *state;
    struct seen seen = tokens_of(fixture, "", 10);
    assert_int_equal(seen.count, 2);
    assert_false(seen.more);
    assert_string_equal(seen.tokens[0].account_id, "acct_bob"); /* newest first */
    assert_int_equal(seen.tokens[0].uses, 2);
    assert_true(str_starts_with(str_from(seen.tokens[0].id), STR("invite_")));
    assert_string_equal(tokens_of(fixture, seen.tokens[0].id, 10).tokens[0].id, seen.tokens[1].id);
    assert_int_equal(tokens_of(fixture, seen.tokens[1].id, 10).count, 0);
    assert_int_equal(tokens_of(fixture, "invite_none", 10).count, 0);
    assert_true(tokens_of(fixture, "", 1).more);
    revoke_token(fixture, seen.tokens[0].id, ERR_NONE);
    revoke_token(fixture, seen.tokens[0].id, ERR_NONE);
    revoke_token(fixture, "invite_none", ERR_NOT_FOUND);
    revoke_token(fixture, "", ERR_NOT_FOUND);
    restart(fixture);
    struct seen fresh = come(fixture, 'n', bob);
    check_refused(&fresh, "no valid join token");
    fresh = come(fixture, 'a', bob); /* it is refused aloud instead of staying where it is */
    check_refused(&fresh, "--join");
    assert_string_equal(come(fixture, 'b', bob).device.id, "prov_b"); /* who came with it stays */
    assert_string_equal(come(fixture, 'a', "").device.account_id, "acct_ada");
}

static void test_a_token_that_is_none_is_refused_aloud(void **state) {
    static const char *const NONE[] = {"join_", "nonsense", "join_00000000000000000000000000000000000000"};
    struct store_fixture *fixture = *state;
    for (size_t i = 0; i < COUNT_OF(NONE); i++) {
        struct seen seen = come(fixture, 'a', NONE[i]);
        check_refused(&seen, "--join");
    }
}

static void key_token(struct store_fixture *fixture, const char *device_id, char out[JOIN_TOKEN_SIZE],
                      enum err_code code) {
    struct store_admin admin = action(STORE_ADMIN_DEVICE_KEY, device_id);
    admin.token = (struct store_join_token){.uses = 1, .created_ms = 3, .expires_ms = STORE_FIXTURE_NOW_MS + 1};
    join_token_generate(out);
    join_token_hash(str_from(out), admin.token.sha256);
    assert_int_equal(act(fixture, &admin).err.code, code);
}

static void test_a_key_is_replaced(void **state) {
    struct store_fixture *fixture = *state;
    char token[JOIN_TOKEN_SIZE];
    key_token(fixture, "prov_a", token, ERR_NONE);
    struct seen seen = come(fixture, 'b', token); /* another device is not to become it */
    check_refused(&seen, "--join");
    seen = come(fixture, 'n', token);
    assert_string_equal(seen.device.id, "prov_a");
    assert_string_equal(seen.device.account_id, "acct_ada");
    assert_int_equal(seen.device.public_key[0], 'n');
    restart(fixture);
    seen = come(fixture, 'a', ""); /* the former key, without and with a good token */
    check_refused(&seen, "replaced");
    seen = come(fixture, 'a', ada);
    check_refused(&seen, "replaced");
    assert_string_equal(come(fixture, 'n', "").device.id, "prov_a");
    assert_string_equal(come(fixture, 'n', token).device.id, "prov_a"); /* the same options again */
    seen = come(fixture, 'm', token);                                   /* it was for one key */
    check_refused(&seen, "no valid join token");
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", ""), ERR_NONE);
    key_token(fixture, "prov_a", token, ERR_CONFLICT);
    key_token(fixture, "prov_x", token, ERR_NOT_FOUND);
}

/* Made before the device was removed or its account suspended, used after it. */
static void test_a_key_token_does_not_bring_back(void **state) {
    struct store_fixture *fixture = *state;
    char first[JOIN_TOKEN_SIZE], second[JOIN_TOKEN_SIZE];
    key_token(fixture, "prov_a", first, ERR_NONE);
    key_token(fixture, "prov_b", second, ERR_NONE);
    assert_int_equal(stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", ""), ERR_NONE);
    assert_int_equal(suspend(fixture, "acct_bob", true), ERR_NONE);
    struct seen seen = come(fixture, 'n', first);
    check_refused(&seen, "removed");
    seen = come(fixture, 'm', second);
    check_refused(&seen, "suspended");
}

/* Nor does one take a device from whoever it belongs to by now. */
static void test_a_key_token_of_a_former_owner_takes_nothing(void **state) {
    struct store_fixture *fixture = *state;
    char token[JOIN_TOKEN_SIZE];
    key_token(fixture, "prov_a", token, ERR_NONE);
    assert_string_equal(come(fixture, 'a', bob).device.account_id, "acct_bob");
    struct seen seen = come(fixture, 'n', token);
    check_refused(&seen, "another account");
    assert_string_equal(come(fixture, 'a', "").device.id, "prov_a");
    assert_string_equal(come(fixture, 'a', ada).device.account_id, "acct_ada"); /* it is back, and so is the word */
    seen = come(fixture, 'n', token);
    assert_string_equal(seen.device.id, "prov_a");
}

/* Two that remove it at once, and an owner that it has left in between. */
static void test_an_owner_removes_no_device_that_has_moved(void **state) {
    struct store_fixture *fixture = *state;
    struct store_admin admin = action(STORE_ADMIN_DEVICE_REMOVE, "prov_a");
    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_ada"));
    assert_string_equal(come(fixture, 'a', bob).device.account_id, "acct_bob");
    assert_int_equal(act(fixture, &admin).err.code, ERR_NOT_FOUND);
    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_bob"));
    assert_int_equal(act(fixture, &admin).err.code, ERR_NONE);
    assert_int_equal(act(fixture, &admin).err.code, ERR_CONFLICT);
    str_copy(admin.account.id, sizeof(admin.account.id), STR("acct_ada"));
    assert_int_equal(act(fixture, &admin).err.code, ERR_NOT_FOUND); /* not even that it was there */
}

struct audit {
    size_t count;
    char lines[16][STORE_ID_MAX * 2 + STORE_NAME_MAX + 4];
};

static bool on_audit(void *context, const struct store_audit *line) {
    struct audit *audit = context;
    if (audit->count < COUNT_OF(audit->lines)) {
        snprintf(audit->lines[audit->count++], sizeof(audit->lines[0]), "%s %s %s", line->action, line->subject,
                 line->note);
    }
    return true;
}

static void test_the_audit_log_has_it(void **state) {
    struct store_fixture *fixture = *state;
    char token[JOIN_TOKEN_SIZE];
    struct audit audit = {0};
    (void)stand(fixture, STORE_ADMIN_DEVICE_QUARANTINE, "prov_a", "odd");
    (void)stand(fixture, STORE_ADMIN_DEVICE_RELEASE, "prov_a", "");
    key_token(fixture, "prov_a", token, ERR_NONE);
    (void)stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", "it lied");
    (void)stand(fixture, STORE_ADMIN_DEVICE_REMOVE, "prov_a", "twice");
    store_fixture_reopen(fixture);
    assert_true(store_each_audit(fixture->store, on_audit, &audit, &fixture->err));
    assert_int_equal(audit.count, 4);
    assert_string_equal(audit.lines[0], "provider.quarantine prov_a odd");
    assert_string_equal(audit.lines[1], "provider.release prov_a ");
    assert_string_equal(audit.lines[2], "provider.replace_key prov_a ");
    assert_string_equal(audit.lines[3], "provider.remove prov_a it lied");
}

#define EVICTED_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        EVICTED_TEST(test_a_removed_device_never_comes_back),
        EVICTED_TEST(test_an_owner_removes_only_its_own),
        EVICTED_TEST(test_quarantine_is_kept),
        EVICTED_TEST(test_a_suspended_account_is_out),
        EVICTED_TEST(test_a_token_moves_a_device),
        EVICTED_TEST(test_tokens_are_listed_and_revoked),
        EVICTED_TEST(test_a_token_that_is_none_is_refused_aloud),
        EVICTED_TEST(test_a_key_is_replaced),
        EVICTED_TEST(test_a_key_token_does_not_bring_back),
        EVICTED_TEST(test_a_key_token_of_a_former_owner_takes_nothing),
        EVICTED_TEST(test_an_owner_removes_no_device_that_has_moved),
        EVICTED_TEST(test_the_audit_log_has_it),
    };
    return STORE_CONTRACT_RUN(tests);
}
