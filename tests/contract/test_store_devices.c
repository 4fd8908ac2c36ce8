/* Devices as the operator sees them: their records, the review list, verification. */
#include "store/admin.h"
#include "store/devices.h"
#include "support/store_fixture.h"
#include "wire/join_token.h"

static void add_account(struct store_fixture *fixture, const char *id) {
    struct store_account account = store_fixture_account(id, false);
    assert_true(store_account_add(fixture->store, &account, &fixture->err));
}

struct seen {
    size_t count;
    bool more, called;
    enum err_code code;
    struct store_device devices[4];
    struct store_review reviews[40];
    struct store_admin result;
};

static void on_devices(void *context, const struct store_device *devices, size_t count, bool more,
                       const struct err *err) {
    struct seen *seen = context;
    seen->called = true;
    seen->code = err == NULL ? ERR_NONE : err->code;
    seen->count = count;
    seen->more = more;
    for (size_t i = 0; i < count && i < COUNT_OF(seen->devices); i++) {
        seen->devices[i] = devices[i];
    }
}

static void on_reviews(void *context, const struct store_review *reviews, size_t count, bool more,
                       const struct err *err) {
    struct seen *seen = context;
    assert_null(err);
    seen->count = count;
    seen->more = more;
    for (size_t i = 0; i < count && i < COUNT_OF(seen->reviews); i++) {
        seen->reviews[i] = reviews[i];
    }
}

static void on_admin(void *context, const struct store_admin *result, const struct err *err) {
    struct seen *seen = context;
    seen->code = err == NULL ? ERR_NONE : err->code;
    if (result != NULL) {
        seen->result = *result;
    }
}

static void on_enrolled(void *context, const struct store_device *device, const struct err *err) {
    struct store_device *out = context;
    assert_null(err);
    assert_non_null(device);
    *out = *device;
}

static struct store_device enrol(struct store_fixture *fixture, const char *id, struct str token) {
    struct store_device out, device = {.created_ms = STORE_FIXTURE_NOW_MS};
    str_copy(device.id, sizeof(device.id), str_from(id));
    str_copy(device.name, sizeof(device.name), str_from(id + 5));
    memset(device.public_key, id[5], sizeof(device.public_key));
    store_device_enrol(fixture->store, device.public_key, token, &device, on_enrolled, &out);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return out;
}

/* Devices a and b of Ada, c of Bob. */
static int setup(void **state) {
    char tokens[2][JOIN_TOKEN_SIZE];
    static const char *const accounts[] = {"acct_ada", "acct_bob"};
    store_fixture_setup(state);
    struct store_fixture *fixture = (struct store_fixture *)*state;
    for (size_t i = 0; i < COUNT_OF(accounts); i++) {
        struct store_join_token token = {.uses = 2, .created_ms = 1, .expires_ms = 2 * STORE_FIXTURE_NOW_MS};
        add_account(fixture, accounts[i]);
        join_token_generate(tokens[i]);
        join_token_hash(str_from(tokens[i]), token.sha256);
        str_copy(token.account_id, sizeof(token.account_id), str_from(accounts[i]));
        assert_true(store_join_token_add(fixture->store, &token, &fixture->err));
    }
    store_fixture_start(fixture);
    enrol(fixture, "prov_a", str_from(tokens[0]));
    enrol(fixture, "prov_b", str_from(tokens[0]));
    enrol(fixture, "prov_c", str_from(tokens[1]));
    return 0;
}

static struct seen read_devices(struct store_fixture *fixture, const char *id, const char *account_id,
                                const char *after, unsigned limit) {
    struct seen seen = {0};
    store_devices_read(fixture->store, id, account_id, after, limit, on_devices, &seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_true(seen.called);
    return seen;
}

static struct seen read_reviews(struct store_fixture *fixture, const char *id, int64_t before, unsigned limit) {
    struct seen seen = {0};
    store_reviews_read(fixture->store, id, before, limit, on_reviews, &seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return seen;
}

static void test_pages_of_devices(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct seen seen = read_devices(fixture, "", "", "", 2);
    assert_int_equal(seen.count, 2);
    assert_true(seen.more);
    assert_string_equal(seen.devices[1].id, "prov_b");
    seen = read_devices(fixture, "", "", "prov_b", 2);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.devices[0].id, "prov_c");
    seen = read_devices(fixture, "", "acct_ada", "", 10);
    assert_int_equal(seen.count, 2);
    seen = read_devices(fixture, "prov_c", "", "", 1);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.devices[0].account_id, "acct_bob");
    assert_int_equal(seen.devices[0].record.kept_ms, 0); /* none yet */
    assert_int_equal(read_devices(fixture, "prov_x", "", "", 1).count, 0);
}

static void test_a_record_is_there_when_the_device_comes_back(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct store_record record = {.generations = 5,
                                  .failures = 1,
                                  .reviews = 2,
                                  .success = 900,
                                  .uptime = 800,
                                  .kept_ms = 77,
                                  .prefill_factor = 1500,
                                  .decode_factor = 250,
                                  .audits = 9,
                                  .earned = 33};
    store_record_keep(fixture->store, "prov_a", &record);
    record.generations = 6;
    store_record_keep(fixture->store, "prov_a", &record);
    store_record_keep(fixture->store, "prov_nobody", &record);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    const struct store_device device = enrol(fixture, "prov_a", STR(""));
    assert_int_equal(device.record.generations, 6);
    assert_int_equal(device.record.failures, 1);
    assert_int_equal(device.record.reviews, 2);
    assert_int_equal(device.record.success, 900);
    assert_int_equal(device.record.uptime, 800);
    assert_int_equal(device.record.kept_ms, 77);
    assert_int_equal(device.record.prefill_factor, 1500);
    assert_int_equal(device.record.decode_factor, 250);
    assert_int_equal(device.record.audits, 9);
    assert_int_equal(device.record.earned, 33);
    assert_int_equal(enrol(fixture, "prov_b", STR("")).record.kept_ms, 0);
    assert_int_equal(fixture->broken_count, 0);
}

static void add_review(struct store_fixture *fixture, const char *device_id, int64_t at) {
    struct store_review review = {.created_ms = at};
    str_copy(review.device_id, sizeof(review.device_id), str_from(device_id));
    str_copy(review.reason, sizeof(review.reason), STR("too_fast"));
    str_copy(review.generation_id, sizeof(review.generation_id), STR("job_1"));
    store_review_add(fixture->store, &review);
}

static void test_the_review_list_is_bounded_by_device(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    add_review(fixture, "prov_c", 5);
    for (int64_t i = 0; i < STORE_REVIEWS_KEPT + 3; i++) {
        add_review(fixture, "prov_a", 100 + i);
    }
    add_review(fixture, "prov_nobody", 7);
    uv_run(&fixture->loop, UV_RUN_DEFAULT); /* the reader sees what is committed */
    struct seen seen = read_reviews(fixture, "", 0, 100);
    assert_int_equal(seen.count, STORE_REVIEWS_KEPT + 1);
    assert_int_equal(seen.reviews[0].created_ms, 100 + STORE_REVIEWS_KEPT + 2); /* newest first */
    assert_int_equal(seen.reviews[STORE_REVIEWS_KEPT - 1].created_ms, 103);
    assert_string_equal(seen.reviews[STORE_REVIEWS_KEPT].device_id, "prov_c");
    assert_string_equal(seen.reviews[STORE_REVIEWS_KEPT].device_name, "c");
    assert_string_equal(seen.reviews[STORE_REVIEWS_KEPT].reason, "too_fast");
    assert_string_equal(seen.reviews[STORE_REVIEWS_KEPT].generation_id, "job_1");
    seen = read_reviews(fixture, "prov_a", seen.reviews[1].number, 1);
    assert_int_equal(seen.count, 1);
    assert_true(seen.more);
    assert_int_equal(seen.reviews[0].created_ms, 100 + STORE_REVIEWS_KEPT);
}

static enum err_code act(struct store_fixture *fixture, const struct store_admin *admin, struct seen *seen) {
    store_admin(fixture->store, admin, on_admin, seen);
    uv_run(&fixture->loop, UV_RUN_DEFAULT);
    return seen->code;
}

static void test_the_operator_verifies_and_clears(void **state) {
    struct store_fixture *fixture = (struct store_fixture *)*state;
    struct seen seen = {0};
    struct store_admin admin = {.kind = STORE_ADMIN_DEVICE_VERIFY, .actor = "cli", .device = {.verified = true}};
    str_copy(admin.device.id, sizeof(admin.device.id), STR("prov_a"));
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_true(seen.result.device.verified);
    assert_string_equal(seen.result.account.id, "acct_ada");
    assert_true(enrol(fixture, "prov_a", STR("")).verified);
    admin.device.verified = false;
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_false(enrol(fixture, "prov_a", STR("")).verified);

    add_review(fixture, "prov_a", 1);
    add_review(fixture, "prov_c", 2);
    admin.kind = STORE_ADMIN_REVIEWS_CLEAR;
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    seen = read_reviews(fixture, "", 0, 10);
    assert_int_equal(seen.count, 1);
    assert_string_equal(seen.reviews[0].device_id, "prov_c");
    str_copy(admin.device.id, sizeof(admin.device.id), STR("prov_nobody"));
    assert_int_equal(act(fixture, &admin, &seen), ERR_NOT_FOUND);
}

static void test_the_operator_accepts_and_dismisses(void **state) {
    struct store_fixture *fixture = *state;
    struct store_admin admin = {.kind = STORE_ADMIN_REVIEWS_ACCEPT, .actor = "cli", .now_ms = 5};
    struct seen seen = {0};
    assert_true(enrol(fixture, "prov_a", STR("")).created_ms >= 0);
    str_copy(admin.device.id, sizeof(admin.device.id), STR("prov_a"));
    admin.device.standing = STORE_STANDING_QUARANTINED;
    assert_int_equal(act(fixture, &admin, &seen), ERR_CONFLICT); /* nothing was found */
    add_review(fixture, "prov_a", 1);
    str_copy(admin.note, sizeof(admin.note), STR("slow"));
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_int_equal(seen.result.device.standing, STORE_STANDING_QUARANTINED);
    assert_string_equal(seen.result.device.standing_reason, "slow");
    assert_true(seen.result.device.in_review); /* what it still earns goes into escrow */
    assert_int_equal(read_reviews(fixture, "", 0, 10).count, 0);

    admin.kind = STORE_ADMIN_REVIEWS_DISMISS; /* what was set aside by hand is let go by hand */
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_false(seen.result.device.in_review);
    assert_int_equal(seen.result.device.standing, STORE_STANDING_QUARANTINED);
    assert_int_equal(act(fixture, &admin, &seen), ERR_CONFLICT);

    add_review(fixture, "prov_a", 2);
    admin.kind = STORE_ADMIN_REVIEWS_ACCEPT;
    admin.device.standing = STORE_STANDING_REMOVED;
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_int_equal(seen.result.device.standing, STORE_STANDING_REMOVED);
    add_review(fixture, "prov_a", 3);
    admin.device.standing = STORE_STANDING_QUARANTINED;
    assert_int_equal(act(fixture, &admin, &seen), ERR_NONE);
    assert_int_equal(seen.result.device.standing, STORE_STANDING_REMOVED); /* that is for good */
}

#define DEVICES_TEST(test) cmocka_unit_test_setup_teardown(test, setup, store_fixture_teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        DEVICES_TEST(test_pages_of_devices),
        DEVICES_TEST(test_a_record_is_there_when_the_device_comes_back),
        DEVICES_TEST(test_the_review_list_is_bounded_by_device),
        DEVICES_TEST(test_the_operator_verifies_and_clears),
        DEVICES_TEST(test_the_operator_accepts_and_dismisses),
    };
    return STORE_CONTRACT_RUN(tests);
}
