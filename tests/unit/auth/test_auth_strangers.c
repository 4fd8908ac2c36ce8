/* Keys that come into memory with their first request, and made-up ones, which hardly reach the store. */
#include "auth/auth.h"
#include "auth/key.h"
#include "support/store_fixture.h"

struct fixture {
    struct store_fixture *base;
    struct store *other; /* another program's connection to the same file */
    struct auth *auth;
};

/* A new key in the store, as `nataris key create` would put it there. */
static void add_key(struct store *store, const char *id, const char *account_id, enum store_key_kind kind,
                    char secret[KEY_SIZE]) {
    struct store_key key = store_fixture_key(id, account_id, kind);
    key_generate(kind, secret);
    key_hash(str_from(secret), key.sha256);
    assert_true(store_key_add(store, &key, NULL));
}

static int setup(void **state) {
    struct fixture *fixture = calloc(1, sizeof(*fixture));
    struct store_account guest = store_fixture_account("acct_guest", false);
    void *base;
    store_fixture_setup(&base);
    fixture->base = (struct store_fixture *)base;
    assert_true(store_account_add(fixture->base->store, &guest, NULL));
    fixture->auth = auth_new(fixture->base->store);
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

struct answer {
    int calls;
    const struct auth_identity *identity;
    enum err_code code;
};

static void on_answer(void *context, const struct auth_identity *identity, const struct err *err) {
    struct answer *answer = context;
    answer->calls++;
    answer->identity = identity;
    answer->code = err != NULL ? err->code : ERR_NONE;
}

static void lookup(struct fixture *fixture, const char *secret, uint64_t now_ms, struct answer *out) {
    *out = (struct answer){0};
    auth_lookup(fixture->auth, bearer(secret), now_ms, on_answer, out);
}

static void turn_loop(struct fixture *fixture) {
    uv_run(&fixture->base->loop, UV_RUN_DEFAULT);
}

/* With the first question. */
static void learn_hashes(struct fixture *fixture) {
    struct answer answer;
    char secret[KEY_SIZE];
    auth_learn_hashes(fixture->auth);
    key_generate(STORE_KEY_LIVE, secret);
    lookup(fixture, secret, 0, &answer);
    turn_loop(fixture);
    assert_int_equal(answer.code, ERR_DENIED);
}

/* Keys whose hashes are known are asked for however many strangers come; of those only so many a second. */
static void test_made_up_keys_hardly_reach_the_store(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    enum { CLIENTS = 200, STRANGERS = 500 };
    static char clients[CLIENTS][KEY_SIZE];
    static struct answer known[CLIENTS], strange[STRANGERS];
    char secret[KEY_SIZE];
    int asked = 0;
    for (int i = 0; i < CLIENTS; i++) {
        char id[STORE_ID_MAX];
        snprintf(id, sizeof(id), "key_%d", i);
        add_key(fixture->other, id, "acct_guest", STORE_KEY_LIVE, clients[i]);
    }
    learn_hashes(fixture);
    for (int i = 0; i < STRANGERS; i++) {
        key_generate(STORE_KEY_LIVE, secret);
        lookup(fixture, secret, 7000, &strange[i]);
        asked += strange[i].calls == 0;
        if (strange[i].calls != 0) {
            assert_int_equal(strange[i].code, ERR_UNAVAILABLE);
        }
    }
    assert_in_range(asked, AUTH_STRANGERS_MAX, AUTH_STRANGERS_MAX + STRANGERS / 20); /* the filter is no exact one */
    for (int i = 0; i < CLIENTS; i++) {
        lookup(fixture, clients[i], 7000, &known[i]);
        assert_int_equal(known[i].calls, 0); /* is being asked for */
    }
    turn_loop(fixture);
    for (int i = 0; i < CLIENTS; i++) {
        assert_non_null(known[i].identity);
    }
    lookup(fixture, secret, 8000, &strange[0]); /* the next second */
    assert_int_equal(strange[0].calls, 0);
    turn_loop(fixture);
    assert_int_equal(strange[0].code, ERR_DENIED);
}

static void test_an_expected_key_is_asked_for(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct answer answer;
    char secret[KEY_SIZE], late[KEY_SIZE];
    learn_hashes(fixture);
    key_generate(STORE_KEY_LIVE, late);
    lookup(fixture, late, 5000, &answer);
    turn_loop(fixture);
    assert_int_equal(answer.code, ERR_DENIED); /* and is remembered as unknown */
    for (int i = 0; i < AUTH_STRANGERS_MAX; i++) {
        key_generate(STORE_KEY_LIVE, secret);
        lookup(fixture, secret, 5000, &answer);
    }
    turn_loop(fixture);
    struct store_key key = store_fixture_key("key_late", "acct_guest", STORE_KEY_LIVE);
    key_hash(str_from(late), key.sha256);
    assert_true(store_key_add(fixture->other, &key, NULL));
    auth_expect_key(fixture->auth, key.sha256);
    lookup(fixture, late, 5001, &answer);
    assert_int_equal(answer.calls, 0);
    turn_loop(fixture);
    assert_non_null(answer.identity);
}

struct watched {
    int calls;
    char account_id[STORE_ID_MAX];
};

static void on_watched(void *context, const struct store_key *key, const struct store_account *account) {
    struct watched *watched = context;
    assert_string_equal(key->account_id, account->id);
    watched->calls++;
    (void)str_copy(watched->account_id, sizeof(watched->account_id), str_from(account->id));
}

static void on_watched_answer(void *context, const struct auth_identity *identity, const struct err *err) {
    assert_null(err);
    assert_string_equal(((struct watched *)context)->account_id, identity->account_id); /* was told before */
}

static void test_who_watches_is_told_of_a_key_before_it_is_used(void **state) {
    struct fixture *fixture = (struct fixture *)*state;
    struct watched watched = {0};
    char secret[KEY_SIZE];
    add_key(fixture->other, "key_late", "acct_guest", STORE_KEY_LIVE, secret);
    auth_watch(fixture->auth, on_watched, &watched);
    auth_lookup(fixture->auth, bearer(secret), 0, on_watched_answer, &watched);
    turn_loop(fixture);
    auth_lookup(fixture->auth, bearer(secret), 0, on_watched_answer, &watched);
    assert_int_equal(watched.calls, 1);
}

#define AUTH_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        AUTH_TEST(test_made_up_keys_hardly_reach_the_store),
        AUTH_TEST(test_an_expected_key_is_asked_for),
        AUTH_TEST(test_who_watches_is_told_of_a_key_before_it_is_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
