/* What every backend of store.h must do. Runs on the one there is, SQLite. */
#include "base/compiler.h"
#include "store/devices.h"
#include "store/enrolment.h"
#include "support/store_fixture.h"
#include "wire/join_token.h"

/* --- Rows --- */

struct rows {
    int count, stop_after;
    struct store_account accounts[4];
    struct store_key keys[4];
};

static bool collect_account(void *context, const struct store_account *account) {
    struct rows *rows = context;
    rows->accounts[rows->count++ % 4] = *account;
    return rows->count != rows->stop_after;
}

static bool collect_key(void *context, const struct store_key *key) {
    struct rows *rows = context;
    rows->keys[rows->count++ % 4] = *key;
    return rows->count != rows->stop_after;
}

static void add_account(struct store_fixture *fixture, const char *id, bool owner) {
    struct store_account account = store_fixture_account(id, owner);
    assert_true(store_account_add(fixture->store, &account, &fixture->err));
}

static void add_key(struct store *store, const char *id, const char *account_id, enum store_key_kind kind) {
    struct err err;
    struct store_key key = store_fixture_key(id, account_id, kind);
    if (!store_key_add(store, &key, &err)) {
        fail_msg("%s", err.message);
    }
}

static void test_accounts_and_keys_survive_reopen(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_b", false);
    add_account(fixture, "acct_a", true);
    add_key(fixture->store, "key_2", "acct_a", STORE_KEY_TEST);
    add_key(fixture->store, "key_1", "acct_b", STORE_KEY_LIVE);
    store_fixture_reopen(fixture);

    struct rows rows = {0};
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    struct store_account expected = store_fixture_account("acct_b", false);
    assert_string_equal(rows.accounts[0].id, expected.id);
    assert_string_equal(rows.accounts[0].name, expected.name);
    assert_int_equal(rows.accounts[0].created_ms, expected.created_ms);
    assert_string_equal(rows.accounts[1].id, "acct_a");
    assert_true(rows.accounts[1].owner && !rows.accounts[0].owner);

    rows = (struct rows){0};
    assert_true(store_each_key(fixture->store, collect_key, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
    struct store_key key = store_fixture_key("key_2", "acct_a", STORE_KEY_TEST);
    assert_string_equal(rows.keys[0].id, "key_2");
    assert_string_equal(rows.keys[0].account_id, "acct_a");
    assert_string_equal(rows.keys[0].name, key.name);
    assert_memory_equal(rows.keys[0].sha256, key.sha256, sizeof(key.sha256));
    assert_int_equal(rows.keys[0].created_ms, key.created_ms);
    assert_int_equal(rows.keys[0].kind, STORE_KEY_TEST);
    assert_true(rows.keys[0].owner);
    assert_int_equal(rows.keys[1].kind, STORE_KEY_LIVE);
    assert_false(rows.keys[1].owner);
}

static void test_a_row_callback_stops(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_a", true);
    add_account(fixture, "acct_b", false);
    struct rows rows = {.stop_after = 1};
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 1);
    rows = (struct rows){0}; /* from the start again */
    assert_true(store_each_account(fixture->store, collect_account, &rows, &fixture->err));
    assert_int_equal(rows.count, 2);
}

static void test_owner(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_account owner;
    add_account(fixture, "acct_b", false);
    assert_false(store_account_owner(fixture->store, &owner, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
    add_account(fixture, "acct_a", true);
    assert_true(store_account_owner(fixture->store, &owner, &fixture->err));
    assert_string_equal(owner.id, "acct_a");
    assert_true(owner.owner);
}

static void test_what_contradicts_is_refused(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_a", true);
    struct store_account again = store_fixture_account("acct_a", false);
    assert_false(store_account_add(fixture->store, &again, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);

    struct store_key stray = store_fixture_key("key_1", "acct_nobody", STORE_KEY_LIVE);
    assert_false(store_key_add(fixture->store, &stray, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);

    struct store_join_token token = {.account_id = "acct_nobody"};
    assert_false(store_join_token_add(fixture->store, &token, &fixture->err));
    assert_int_equal(fixture->err.code, ERR_CONFLICT);
}

static void test_settings(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char value[8];
    assert_false(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_int_equal(fixture->err.code, ERR_NOT_FOUND);
    assert_true(store_setting_set(fixture->store, "id", "first", &fixture->err));
    assert_true(store_setting_set(fixture->store, "id", "second", &fixture->err));
    store_fixture_reopen(fixture);
    assert_true(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_string_equal(value, "second");
    assert_true(store_setting_set(fixture->store, "id", "eight by", &fixture->err));
    assert_false(store_setting_get(fixture->store, "id", value, sizeof(value), &fixture->err));
    assert_int_equal(fixture->err.code, ERR_TOO_LARGE);
}

/* --- Job records --- */

struct writes {
    uintptr_t next; /* the number the next callback must have */
    int refused;
    enum err_code refusal;
};

static struct writes writes; /* callbacks carry the record's number as their context */

static void on_durable(void *context, const struct err *err) {
    assert_int_equal((uintptr_t)context, writes.next);
    writes.next++;
    if (err != NULL) {
        writes.refused++;
        writes.refusal = err->code;
    }
}

static void write_jobs(struct store *store, uint32_t from, uint32_t to) {
    for (uint32_t i = from; i < to; i++) {
        struct store_generation job = store_fixture_job(i);
        store_fixture_settle(store, &job, on_durable, (void *)(uintptr_t)i);
    }
}

static void test_job_records_answer_in_order_and_survive(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 1000);
    assert_int_equal(writes.next, 0); /* never from inside the call */
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    write_jobs(fixture->store, 1000, 1010);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(writes.next, 1010);
    assert_int_equal(writes.refused, 0);
    struct store_counts counts = store_counts(fixture->store);
    assert_int_equal(counts.records, 1010);
    assert_in_range(counts.groups, 2, 1010);

    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_generation(fixture->store, store_fixture_check_job, &number, &fixture->err));
    assert_int_equal(number, 1010);
}

static void test_a_callback_is_optional(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_start(fixture);
    struct store_generation job = store_fixture_job(0);
    store_fixture_settle(fixture->store, &job, NULL, NULL);
    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_generation(fixture->store, store_fixture_check_job, &number, &fixture->err));
    assert_int_equal(number, 1);
}

static void test_a_refused_record_leaves_its_group(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 2);
    struct store_generation wrong = store_fixture_job(9);
    wrong.outcome = (enum store_outcome)7;
    store_fixture_settle(fixture->store, &wrong, on_durable, (void *)2);
    struct store_generation last = store_fixture_job(2);
    store_fixture_settle(fixture->store, &last, on_durable, (void *)3);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(writes.next, 4);
    assert_int_equal(writes.refused, 1);
    assert_int_equal(writes.refusal, ERR_CONFLICT);
    assert_int_equal(fixture->broken_count, 0);

    store_fixture_reopen(fixture);
    uint32_t number = 0;
    assert_true(store_each_generation(fixture->store, store_fixture_check_job, &number, &fixture->err));
    assert_int_equal(number, 3);
}

static void test_close_answers_what_waits(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    writes = (struct writes){0};
    store_fixture_start(fixture);
    write_jobs(fixture->store, 0, 500);
    store_close(fixture->store); /* without an iteration of the loop */
    fixture->store = NULL;
    assert_int_equal(writes.next, 500);
    assert_int_equal(writes.refused, 0);
}

/* --- Devices --- */

struct enrolment {
    int calls;
    bool given;
    struct store_device device;
    enum err_code code;
};

static void on_device(void *context, const struct store_device *device, const struct err *err) {
    struct enrolment *enrolment = context;
    enrolment->calls++;
    enrolment->given = device != NULL;
    if (device != NULL) {
        enrolment->device = *device;
    }
    enrolment->code = err != NULL ? err->code : ERR_NONE;
}

static struct store_device candidate(const char *id, uint8_t key_byte) {
    struct store_device device = {.account_id = "acct_ignored", .region = "eu", .created_ms = STORE_FIXTURE_NOW_MS};
    str_copy(device.id, sizeof(device.id), str_from(id));
    str_copy(device.name, sizeof(device.name), STR("laptop"));
    memset(device.public_key, key_byte, sizeof(device.public_key));
    return device;
}

static void enrol(struct store_fixture *fixture, const char *token, const struct store_device *device,
                  struct enrolment *out) {
    *out = (struct enrolment){0};
    store_device_enrol(fixture->store, device->public_key, str_from(token), device, on_device, out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out->calls, 1);
}

static void add_join_token(struct store *store, char out[JOIN_TOKEN_SIZE], int64_t expires_ms) {
    struct err err;
    struct store_join_token token = {.account_id = "acct_a", .uses = 2, .created_ms = 1, .expires_ms = expires_ms};
    join_token_generate(out);
    join_token_hash(str_from(out), token.sha256);
    if (!store_join_token_add(store, &token, &err)) {
        fail_msg("%s", err.message);
    }
}

static void test_enrolment(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char good[JOIN_TOKEN_SIZE], expired[JOIN_TOKEN_SIZE], unknown[JOIN_TOKEN_SIZE];
    add_account(fixture, "acct_a", true);
    add_join_token(fixture->store, good, STORE_FIXTURE_NOW_MS + 1);
    add_join_token(fixture->store, expired, STORE_FIXTURE_NOW_MS);
    join_token_generate(unknown);
    store_fixture_start(fixture);

    struct enrolment result;
    struct store_device first = candidate("prov_1", 1), second = candidate("prov_2", 2);
    const char *const useless[] = {"", expired, unknown, "join_", "nonsense"};
    for (size_t i = 0; i < COUNT_OF(useless); i++) {
        enrol(fixture, useless[i], &first, &result);
        assert_false(result.given);
        assert_int_equal(result.code, ERR_DENIED);
    }
    enrol(fixture, good, &first, &result);
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_1");
    assert_string_equal(result.device.account_id, "acct_a");
    struct store_device id_taken = candidate("prov_1", 3);
    enrol(fixture, good, &id_taken, &result); /* which does not use it up */
    assert_false(result.given);
    assert_int_equal(result.code, ERR_CONFLICT);
    enrol(fixture, good, &first, &result); /* nor does a device that is known */
    assert_true(result.given);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);
    enrol(fixture, good, &second, &result);
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_2");
    struct store_device third = candidate("prov_3", 3);
    enrol(fixture, good, &third, &result); /* it was for two */
    assert_false(result.given);
    assert_int_equal(result.code, ERR_DENIED);
    assert_int_equal(store_counts(fixture->store).records, 1);
}

static void test_a_known_device_needs_no_token(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    char token[JOIN_TOKEN_SIZE];
    add_account(fixture, "acct_a", true);
    add_join_token(fixture->store, token, STORE_FIXTURE_NOW_MS + 1);
    store_fixture_start(fixture);
    struct enrolment result;
    struct store_device first = candidate("prov_1", 1);
    enrol(fixture, token, &first, &result);
    assert_true(result.given);
    store_fixture_reopen(fixture);
    store_fixture_start(fixture);

    struct store_device again = candidate("prov_other", 1);
    again.created_ms += 1000000; /* long after the token expired */
    enrol(fixture, "", &again, &result);
    assert_true(result.given);
    assert_string_equal(result.device.id, "prov_1");
    assert_string_equal(result.device.account_id, "acct_a");
    assert_string_equal(result.device.name, "laptop");
    assert_string_equal(result.device.region, "eu");
    assert_int_equal(result.device.created_ms, STORE_FIXTURE_NOW_MS);
    assert_memory_equal(result.device.public_key, first.public_key, sizeof(first.public_key));
    enrol(fixture, token, &again, &result); /* nor does a token make it another device */
    assert_string_equal(result.device.id, "prov_1");
}

/* --- Keys --- */

struct key_answer {
    int calls;
    bool given;
    struct store_key key;
    bool failed;
};

static void on_key(void *context, const struct store_key *key, const struct store_account *account,
                   const struct err *err) {
    struct key_answer *answer = context;
    answer->calls++;
    answer->given = key != NULL;
    assert_int_equal(key != NULL, account != NULL);
    if (key != NULL) {
        assert_string_equal(account->id, key->account_id);
        answer->key = *key;
    }
    answer->failed = err != NULL;
}

static void find_key(struct store_fixture *fixture, const char *id, struct key_answer *out) {
    struct store_key key = store_fixture_key(id, "", STORE_KEY_LIVE);
    *out = (struct key_answer){0};
    store_key_find(fixture->store, key.sha256, on_key, out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(out->calls, 1);
    assert_false(out->failed);
}

static void test_keys_are_found_by_their_hash(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_account(fixture, "acct_a", true);
    add_key(fixture->store, "key_1", "acct_a", STORE_KEY_TEST);
    store_fixture_start(fixture);
    struct key_answer answer;
    find_key(fixture, "key_2", &answer);
    assert_false(answer.given);
    find_key(fixture, "key_1", &answer);
    assert_true(answer.given);
    assert_string_equal(answer.key.id, "key_1");
    assert_string_equal(answer.key.account_id, "acct_a");
    assert_int_equal(answer.key.kind, STORE_KEY_TEST);
    assert_true(answer.key.owner);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup, store_fixture_teardown)

#define CLIENT_TEST(test) cmocka_unit_test_setup_teardown(test, store_fixture_setup_client, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_accounts_and_keys_survive_reopen),
        STORE_TEST(test_a_row_callback_stops),
        STORE_TEST(test_owner),
        STORE_TEST(test_what_contradicts_is_refused),
        STORE_TEST(test_settings),
        CLIENT_TEST(test_job_records_answer_in_order_and_survive),
        CLIENT_TEST(test_a_callback_is_optional),
        CLIENT_TEST(test_a_refused_record_leaves_its_group),
        CLIENT_TEST(test_close_answers_what_waits),
        STORE_TEST(test_enrolment),
        STORE_TEST(test_a_known_device_needs_no_token),
        STORE_TEST(test_keys_are_found_by_their_hash),
    };
    return STORE_CONTRACT_RUN(tests);
}
