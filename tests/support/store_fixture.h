/* A store in a temporary folder with a loop, and rows to put in it. */
#ifndef NATARIS_TESTS_SUPPORT_STORE_FIXTURE_H
#define NATARIS_TESTS_SUPPORT_STORE_FIXTURE_H

#include "base/digest.h"
#include "store/accounts.h"
#include "store/admin.h"
#include "store/owed.h"
#include "store/settlements.h"
#include "store/store.h"
#include "support/store_backends.h"
#include "support/temp_folder.h"

enum { STORE_FIXTURE_NOW_MS = 1000000 };

struct store_fixture {
    struct temp_folder folder;
    char path[128];
    struct store *store;
    uv_loop_t loop;
    struct err err;
    int broken_count; /* calls of on_broken */
    struct err broken;
};

/* What is earned is ripe at once, unless a test says otherwise. */
UNUSED static void store_fixture_open(struct store_fixture *fixture) {
    assert_true(store_open(&fixture->store, store_backend()->driver, fixture->path, &fixture->err));
    store_set_hold_days(fixture->store, 0);
}

UNUSED static int store_fixture_setup(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)calloc(1, sizeof(*fixture));
    temp_folder_init(&fixture->folder);
    temp_folder_file(&fixture->folder, "test.db", fixture->path);
    assert_int_equal(uv_loop_init(&fixture->loop), 0);
    store_fixture_open(fixture);
    *state = fixture;
    return 0;
}

UNUSED static void store_fixture_close(struct store_fixture *fixture) {
    store_close(fixture->store);
    fixture->store = NULL;
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
}

UNUSED static int store_fixture_teardown(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    store_fixture_close(fixture);
    assert_int_equal(uv_loop_close(&fixture->loop), 0);
    temp_folder_clear(&fixture->folder);
    free(fixture);
    return 0;
}

UNUSED static void store_fixture_on_broken(void *context, const struct err *err) {
    struct store_fixture *fixture = (struct store_fixture *)context;
    fixture->broken_count++;
    fixture->broken = *err;
}

UNUSED static void store_fixture_start(struct store_fixture *fixture) {
    assert_true(store_start(fixture->store, &fixture->loop, store_fixture_on_broken, fixture, &fixture->err));
}

/* Closes and opens again, without the thread. */
struct store_acted {
    enum err_code code;
    struct store_admin result;
};

UNUSED static void store_fixture_on_acted(void *context, const struct store_admin *result, const struct err *err) {
    struct store_acted *acted = context;
    acted->code = err != NULL ? err->code : ERR_NONE;
    if (err == NULL) {
        acted->result = *result;
    }
}

/* What the operator does while the store's thread runs, and what comes of it. */
UNUSED static struct store_acted store_fixture_act(struct store_fixture *fixture, const struct store_admin *admin) {
    struct store_acted acted = {.code = ERR_INTERNAL};
    store_admin(fixture->store, admin, store_fixture_on_acted, &acted);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return acted;
}

UNUSED static void store_fixture_reopen(struct store_fixture *fixture) {
    store_fixture_close(fixture);
    store_fixture_open(fixture);
}

UNUSED static struct store_account store_fixture_account(const char *id, bool owner) {
    struct store_account account = {.owner = owner, .created_ms = 11};
    str_copy(account.id, sizeof(account.id), str_from(id));
    str_copy(account.name, sizeof(account.name), STR("Ada's \xc3\xa9t\xc3\xa9"));
    return account;
}

/* The key's secret is its id, for tests that need no real one. */
UNUSED static struct store_key store_fixture_key(const char *id, const char *account_id, enum store_key_kind kind) {
    struct store_key key = {.kind = kind, .created_ms = 12, .cap_nano = -1};
    str_copy(key.id, sizeof(key.id), str_from(id));
    str_copy(key.account_id, sizeof(key.account_id), str_from(account_id));
    str_copy(key.name, sizeof(key.name), STR("first"));
    digest_sha256(id, strlen(id), key.sha256);
    return key;
}

UNUSED static struct store_generation store_fixture_job(uint32_t number) {
    struct store_generation job = {
        .outcome = STORE_OUTCOME_FAILED,
        .prompt_tokens = number,
        .completion_tokens = UINT32_MAX,
        .attempts = 2,
        .ttft_ms = 3,
        .latency_ms = 4,
        .created_ms = INT64_C(1767225600000) + number,
    };
    snprintf(job.id, sizeof(job.id), "job_%08u", number);
    str_copy(job.account_id, sizeof(job.account_id), STR("acct_1"));
    str_copy(job.key_id, sizeof(job.key_id), STR("key_1"));
    str_copy(job.model, sizeof(job.model), STR("nataris-demo-2m"));
    str_copy(job.device_id, sizeof(job.device_id), STR("prov_1"));
    str_copy(job.label, sizeof(job.label), STR("a label"));
    return job;
}

UNUSED static void store_fixture_settle(struct store *store, const struct store_generation *job,
                                        void (*on_durable)(void *context, const struct err *err), void *context) {
    const struct store_settlement settlement = {.generation = *job};
    store_settle(store, &settlement, on_durable, context);
}

/* A store that knows the client of store_fixture_job. */
UNUSED static int store_fixture_setup_client(void **state) {
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_account account = store_fixture_account("acct_1", true);
    struct store_key key = store_fixture_key("key_1", "acct_1", STORE_KEY_LIVE);
    assert_true(store_account_add(fixture->store, &account, &fixture->err));
    assert_true(store_key_add(fixture->store, &key, &fixture->err));
    return 0;
}

/* For store_each_generation: the rows must be store_fixture_job 0, 1, 2 ...; `context` counts them. */
UNUSED static bool store_fixture_check_job(void *context, const struct store_generation *job) {
    uint32_t *number = (uint32_t *)context;
    struct store_generation expected = store_fixture_job(*number);
    assert_string_equal(job->id, expected.id);
    assert_string_equal(job->account_id, expected.account_id);
    assert_string_equal(job->key_id, expected.key_id);
    assert_string_equal(job->model, expected.model);
    assert_string_equal(job->device_id, expected.device_id);
    assert_string_equal(job->label, expected.label);
    assert_int_equal(job->outcome, expected.outcome);
    assert_int_equal(job->prompt_tokens, expected.prompt_tokens);
    assert_int_equal(job->completion_tokens, expected.completion_tokens);
    assert_int_equal(job->attempts, expected.attempts);
    assert_int_equal(job->ttft_ms, expected.ttft_ms);
    assert_int_equal(job->latency_ms, expected.latency_ms);
    assert_int_equal(job->created_ms, expected.created_ms);
    (*number)++;
    return true;
}

#endif
