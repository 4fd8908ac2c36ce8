#include "auth/auth.h"
#include "auth/key.h"
#include "base/buf.h"
#include "base/clock.h"
#include "support/store_fixture.h"

struct fixture {
    struct store_fixture *base;
    struct store *other; /* another program's connection to the same file */
    struct auth *auth;
    char live[KEY_SIZE], test[KEY_SIZE];
};

/* A new key in the store, as `nataris key create` would put it there. */
static void add_key(struct store *store, const char *id, const char *account_id, enum store_key_kind kind,
                    char secret[KEY_SIZE]) {
    struct err err;
    struct store_key key = store_fixture_key(id, account_id, kind);
    key_generate(kind, secret);
    key_hash(str_from(secret), key.sha256);
    if (!store_key_add(store, &key, &err)) {
        fail_msg("%s", err.message);
    }
}

/* As if each had been asked for once. */
static bool into_memory(void *context, const struct store_key *key) {
    auth_add_key(context, key);
    return true;
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    void *base;
    store_fixture_setup(&base);
    fixture->base = (struct store_fixture *)base;
    struct store *store = fixture->base->store;
    struct store_account owner = store_fixture_account("acct_owner", true),
                         guest = store_fixture_account("acct_guest", false);
    assert_true(store_account_add(store, &owner, NULL));
    assert_true(store_account_add(store, &guest, NULL));
    add_key(store, "key_live", "acct_owner", STORE_KEY_LIVE, fixture->live);
    add_key(store, "key_test", "acct_guest", STORE_KEY_TEST, fixture->test);
    fixture->auth = auth_new(store);
    assert_true(store_each_key(store, into_memory, fixture->auth, NULL));
    assert_true(store_open(&fixture->other, store_backend()->driver, fixture->base->path, NULL));
    store_fixture_start(fixture->base);
    *state = fixture;
    return 0;
}

static int teardown(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    void *base = fixture->base;
    store_close(fixture->other);
    store_fixture_close(fixture->base);
    auth_free(fixture->auth);
    store_fixture_teardown(&base);
    free(fixture);
    return 0;
}

static struct str bearer(const char *secret) {
    static char header[128];
    int length = snprintf(header, sizeof(header), "Bearer %s", secret);
    return (struct str){.data = header, .len = (size_t)length};
}

/* --- From memory --- */

static void test_known_keys(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    const struct auth_identity *identity;
    assert_true(auth_find(fixture->auth, bearer(fixture->live), &identity, NULL));
    assert_string_equal(identity->account_id, "acct_owner");
    assert_string_equal(identity->key_id, "key_live");
    assert_int_equal(identity->kind, STORE_KEY_LIVE);
    assert_true(identity->owner);
    assert_true(auth_find(fixture->auth, bearer(fixture->test), &identity, NULL));
    assert_string_equal(identity->account_id, "acct_guest");
    assert_int_equal(identity->kind, STORE_KEY_TEST);
    assert_false(identity->owner);
}

static void test_the_header_may_be_written_so(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    static const char *const forms[] = {"Bearer %s", "bearer %s", "BEARER %s", "Bearer   %s", "  Bearer %s  "};
    const struct auth_identity *identity;
    for (size_t i = 0; i < COUNT_OF(forms); i++) {
        struct buf header;
        buf_init(&header, 256);
        struct str form = str_from(forms[i]), before, after;
        assert_true(str_split(form, '%', &before, &after));
        buf_append_str(&header, before);
        buf_append_cstr(&header, fixture->live);
        buf_append(&header, after.data + 1, after.len - 1);
        assert_true(auth_find(fixture->auth, buf_str(&header), &identity, NULL));
        buf_clear(&header);
    }
}

static void test_denials_say_why_and_never_quote(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char unknown[KEY_SIZE], cut[128];
    key_generate(STORE_KEY_LIVE, unknown);
    snprintf(cut, sizeof(cut), "Bearer %.40s", fixture->live);
    const struct {
        struct str header;
        const char *words;
    } cases[] = {
        {STR(""), "Missing API key"},
        {STR("   "), "Missing API key"},
        {STR("Basic dXNlcjpwYXNz"), "Authorization: Bearer nat_live_..."},
        {str_from(fixture->live), "Authorization: Bearer nat_live_..."},
        {STR("Bearer"), "empty"},
        {STR("Bearer   "), "empty"},
        {STR("Bearer sk-1234567890"), "Malformed API key"},
        {str_from(cut), "Malformed API key"},
        {bearer(unknown), "Unknown API key"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct auth_identity *identity;
        struct err err;
        assert_false(auth_find(fixture->auth, cases[i].header, &identity, &err));
        assert_null(identity);
        assert_int_equal(err.code, ERR_DENIED);
        assert_non_null(strstr(err.message, cases[i].words));
        assert_null(strstr(err.message, "dXNlcjpwYXNz"));
        assert_null(strstr(err.message, "sk-123"));
        assert_null(strstr(err.message, unknown + 9));
        char secret[17] = {0};
        memcpy(secret, fixture->live + 9, 16);
        assert_null(strstr(err.message, secret));
    }
}

static void test_an_added_key_is_known_at_once(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char secret[KEY_SIZE];
    struct store_key key = store_fixture_key("key_new", "acct_owner", STORE_KEY_TEST);
    key.owner = true;
    key_generate(STORE_KEY_TEST, secret);
    key_hash(str_from(secret), key.sha256);
    auth_add_key(fixture->auth, &key);
    const struct auth_identity *identity;
    assert_true(auth_find(fixture->auth, bearer(secret), &identity, NULL));
    assert_string_equal(identity->key_id, "key_new");
    assert_true(identity->owner);
}

/* --- Limits of keys --- */

static struct store_key make_key(const char *id, char secret[KEY_SIZE]) {
    struct store_key key = store_fixture_key(id, "acct_guest", STORE_KEY_LIVE);
    key.cap_nano = -1;
    key_generate(STORE_KEY_LIVE, secret);
    key_hash(str_from(secret), key.sha256);
    return key;
}

static void assert_denied(struct fixture *fixture, const char *secret, const char *words) {
    const struct auth_identity *identity;
    struct err err;
    assert_false(auth_find(fixture->auth, bearer(secret), &identity, &err));
    assert_null(identity);
    assert_int_equal(err.code, ERR_DENIED);
    if (strstr(err.message, words) == NULL) {
        fail_msg("%s", err.message);
    }
}

static void test_an_identity_knows_numbers_and_models(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    const struct auth_identity *identity;
    char secret[KEY_SIZE];
    assert_true(auth_find(fixture->auth, bearer(fixture->test), &identity, NULL)); /* as the store has numbered them */
    assert_int_equal(identity->account_number, 2);
    assert_int_equal(identity->key_number, 2);
    assert_string_equal(identity->models, "");
    struct store_key key = make_key("key_models", secret);
    key.number = 70;
    key.account_number = 7;
    str_copy(key.models, sizeof(key.models), STR("a,b"));
    auth_add_key(fixture->auth, &key);
    assert_true(auth_find(fixture->auth, bearer(secret), &identity, NULL));
    assert_int_equal(identity->account_number, 7);
    assert_int_equal(identity->key_number, 70);
    assert_string_equal(identity->models, "a,b");
}

static void test_expired_keys_are_refused(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    const struct auth_identity *identity;
    char secret[KEY_SIZE];
    struct store_key key = make_key("key_short", secret);
    key.expires_ms = clock_wall_ms() + 3600 * 1000;
    auth_add_key(fixture->auth, &key);
    assert_true(auth_find(fixture->auth, bearer(secret), &identity, NULL));
    key.expires_ms = clock_wall_ms() - 1;
    auth_add_key(fixture->auth, &key);
    assert_denied(fixture, secret, "This API key has expired");
}

static void test_a_removed_key_stays_refused(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    const struct auth_identity *identity, *other;
    char secret[KEY_SIZE];
    struct store_key key = make_key("key_gone", secret);
    auth_add_key(fixture->auth, &key);
    assert_true(auth_find(fixture->auth, bearer(secret), &identity, NULL));
    auth_remove_key(fixture->auth, "key_nobody_has");
    auth_remove_account(fixture->auth, "acct_nobody");
    auth_remove_key(fixture->auth, "key_gone");
    assert_denied(fixture, secret, "This API key has been revoked");
    assert_string_equal(identity->key_id, "key_gone"); /* what borrowed it may go on */
    auth_add_key(fixture->auth, &key);                 /* as a look-up that began before would */
    assert_denied(fixture, secret, "This API key has been revoked");
    assert_true(auth_find(fixture->auth, bearer(fixture->live), &other, NULL));
}

static void test_a_revoked_key_of_the_store_is_refused(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char secret[KEY_SIZE];
    struct store_key key = make_key("key_revoked", secret);
    key.revoked_ms = 1;
    auth_add_key(fixture->auth, &key);
    assert_denied(fixture, secret, "This API key has been revoked");
}

/* --- Asking the store --- */

struct answer {
    int calls;
    const struct auth_identity *identity;
    enum err_code code;
    struct auth *cancel_in; /* with cancel: what the callback cancels */
    struct answer *cancel;
};

static void on_answer(void *context, const struct auth_identity *identity, const struct err *err) {
    struct answer *answer = context;
    answer->calls++;
    answer->identity = identity;
    answer->code = err != NULL ? err->code : ERR_NONE;
    if (answer->cancel != NULL) {
        auth_cancel(answer->cancel_in, answer->cancel);
    }
}

static void lookup(struct fixture *fixture, const char *secret, uint64_t now_ms, struct answer *out) {
    *out = (struct answer){0};
    auth_lookup(fixture->auth, bearer(secret), now_ms, on_answer, out);
}

static void turn_loop(struct fixture *fixture) {
    uv_run(&fixture->base->loop, UV_RUN_DEFAULT);
}

static void test_lookup_answers_at_once_what_it_knows(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    lookup(fixture, fixture->live, 0, &answer);
    assert_int_equal(answer.calls, 1);
    assert_string_equal(answer.identity->key_id, "key_live");
    lookup(fixture, "nat_live_nonsense", 0, &answer);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.code, ERR_DENIED);
    turn_loop(fixture);
    assert_int_equal(answer.calls, 1);
}

static void test_lookup_finds_what_another_program_added(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    char secret[KEY_SIZE];
    add_key(fixture->other, "key_late", "acct_owner", STORE_KEY_TEST, secret);
    lookup(fixture, secret, 0, &answer);
    assert_int_equal(answer.calls, 0);
    turn_loop(fixture);
    assert_int_equal(answer.calls, 1);
    assert_non_null(answer.identity);
    assert_string_equal(answer.identity->key_id, "key_late");
    assert_true(answer.identity->owner);
    lookup(fixture, secret, 0, &answer); /* and remembers it */
    assert_int_equal(answer.calls, 1);
}

static void test_lookup_refuses_what_has_expired_meanwhile(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    char secret[KEY_SIZE];
    struct store_key key = make_key("key_late", secret);
    key.expires_ms = 1;
    assert_true(store_key_add(fixture->other, &key, NULL));
    lookup(fixture, secret, 0, &answer);
    turn_loop(fixture);
    assert_int_equal(answer.calls, 1);
    assert_null(answer.identity);
    assert_int_equal(answer.code, ERR_DENIED);
    lookup(fixture, secret, 0, &answer); /* now from memory */
    assert_int_equal(answer.calls, 1);
    assert_null(answer.identity);
    assert_int_equal(answer.code, ERR_DENIED);
}

static void test_an_unknown_key_is_remembered_for_a_second(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    char secret[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, secret);
    lookup(fixture, secret, 5000, &answer);
    assert_int_equal(answer.calls, 0);
    turn_loop(fixture);
    assert_int_equal(answer.code, ERR_DENIED);
    lookup(fixture, secret, 5000 + AUTH_UNKNOWN_MS - 1, &answer);
    assert_int_equal(answer.calls, 1); /* without the store */
    assert_int_equal(answer.code, ERR_DENIED);

    struct store_key key = store_fixture_key("key_late", "acct_guest", STORE_KEY_LIVE);
    key_hash(str_from(secret), key.sha256);
    assert_true(store_key_add(fixture->other, &key, NULL));
    lookup(fixture, secret, 5000 + AUTH_UNKNOWN_MS, &answer);
    assert_int_equal(answer.calls, 0);
    turn_loop(fixture);
    assert_non_null(answer.identity);
}

static void test_requests_with_one_key_share_a_question(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    enum { REQUESTS = 3 * AUTH_LOOKUPS_MAX };
    struct answer answers[REQUESTS];
    char secret[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, secret);
    for (int i = 0; i < REQUESTS; i++) {
        lookup(fixture, secret, 0, &answers[i]);
        assert_int_equal(answers[i].calls, 0);
    }
    turn_loop(fixture);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(answers[i].calls, 1);
        assert_int_equal(answers[i].code, ERR_DENIED);
    }
}

static void test_a_flood_of_keys_is_bounded(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    static struct answer answers[AUTH_LOOKUPS_MAX + 10];
    char secret[KEY_SIZE];
    for (int i = 0; i < AUTH_LOOKUPS_MAX + 10; i++) {
        key_generate(STORE_KEY_LIVE, secret);
        lookup(fixture, secret, 0, &answers[i]);
        assert_int_equal(answers[i].calls, i < AUTH_LOOKUPS_MAX ? 0 : 1);
    }
    assert_int_equal(answers[AUTH_LOOKUPS_MAX].code, ERR_UNAVAILABLE);
    struct answer known;
    lookup(fixture, fixture->live, 0, &known); /* who is known does not notice */
    assert_non_null(known.identity);
    turn_loop(fixture);
    assert_int_equal(answers[0].code, ERR_DENIED);
    lookup(fixture, secret, 0, &answers[0]); /* room again */
    assert_int_equal(answers[0].calls, 0);
    turn_loop(fixture);
    assert_int_equal(answers[0].calls, 1);
}

/* More unknown keys within a second than are remembered: the oldest is asked for again, the newest is not. */
static void test_what_is_remembered_is_bounded(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    char first[KEY_SIZE], secret[KEY_SIZE];
    struct answer answers[AUTH_LOOKUPS_MAX], answer;
    key_generate(STORE_KEY_LIVE, first);
    lookup(fixture, first, 0, &answer);
    turn_loop(fixture);
    for (int i = 0; i < AUTH_UNKNOWN_MAX / AUTH_LOOKUPS_MAX; i++) {
        for (int j = 0; j < AUTH_LOOKUPS_MAX; j++) {
            key_generate(STORE_KEY_LIVE, secret);
            lookup(fixture, secret, 0, &answers[j]);
        }
        turn_loop(fixture);
    }
    lookup(fixture, secret, 0, &answer);
    assert_int_equal(answer.calls, 1);
    lookup(fixture, first, 0, &answer);
    assert_int_equal(answer.calls, 0);
    turn_loop(fixture);
}

static void test_cancelled_lookups_are_silent(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer gone, stays;
    char secret[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, secret);
    lookup(fixture, secret, 0, &gone);
    lookup(fixture, secret, 0, &stays);
    auth_cancel(fixture->auth, &gone);
    auth_cancel(fixture->auth, &gone);
    turn_loop(fixture);
    assert_int_equal(gone.calls, 0);
    assert_int_equal(stays.calls, 1);
}

static void test_a_callback_may_cancel_the_next(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer first, second;
    char secret[KEY_SIZE];
    key_generate(STORE_KEY_LIVE, secret);
    lookup(fixture, secret, 0, &first);
    lookup(fixture, secret, 0, &second);
    first.cancel_in = fixture->auth;
    first.cancel = &second;
    turn_loop(fixture);
    assert_int_equal(first.calls, 1);
    assert_int_equal(second.calls, 0);
}

static void test_a_broken_store_denies_nobody(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    char secret[KEY_SIZE];
    assert_int_equal(unlink(fixture->base->path), 0);
    key_generate(STORE_KEY_LIVE, secret);
    lookup(fixture, secret, 0, &answer);
    turn_loop(fixture);
    assert_int_equal(answer.calls, 1);
    assert_int_equal(answer.code, ERR_UNAVAILABLE);
}

#define AUTH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_known_keys),
        AUTH_TEST(test_the_header_may_be_written_so),
        AUTH_TEST(test_denials_say_why_and_never_quote),
        AUTH_TEST(test_an_added_key_is_known_at_once),
        AUTH_TEST(test_an_identity_knows_numbers_and_models),
        AUTH_TEST(test_expired_keys_are_refused),
        AUTH_TEST(test_a_removed_key_stays_refused),
        AUTH_TEST(test_a_revoked_key_of_the_store_is_refused),
        AUTH_TEST(test_lookup_refuses_what_has_expired_meanwhile),
        AUTH_TEST(test_lookup_answers_at_once_what_it_knows),
        AUTH_TEST(test_lookup_finds_what_another_program_added),
        AUTH_TEST(test_an_unknown_key_is_remembered_for_a_second),
        AUTH_TEST(test_requests_with_one_key_share_a_question),
        AUTH_TEST(test_a_flood_of_keys_is_bounded),
        AUTH_TEST(test_what_is_remembered_is_bounded),
        AUTH_TEST(test_cancelled_lookups_are_silent),
        AUTH_TEST(test_a_callback_may_cancel_the_next),
        AUTH_TEST(test_a_broken_store_denies_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
