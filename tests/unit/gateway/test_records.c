/* When a device's record is written, and what one is that has none. */
#include "unit/gateway/gateway_fixture.h"

static void test_one_that_is_new(void **state) {
    (void)state;
    struct core_record fresh;
    core_record_init(&fresh);
    const struct store_record none = {.success = 1, .uptime = 1}, kept = {.jobs = 7, .success = 500, .kept_ms = 1};
    assert_int_equal(gateway_record_from_store(&none).success, fresh.success); /* not what an empty row says */
    assert_int_equal(gateway_record_from_store(&kept).success, 500);
    assert_int_equal(gateway_record_from_store(&kept).jobs, 7);
}

static void test_what_has_not_changed_is_not_written(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer, idle;
    struct call call;
    struct gen_message message;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    fixture_join(gateway, &idle, "idle", LINK_MODEL_WARM, 4096);
    gateway_records_due(gateway);
    assert_int_equal(noted.kept, 0);
    fixture_answer(gateway, &peer, "hi");
    gateway_records_due(gateway);
    assert_int_equal(noted.kept, 1);
    assert_string_equal(noted.kept_id, fixture_id(&peer));
    assert_int_equal(noted.record.jobs, 1);
    assert_true(noted.record.kept_ms > 0);
    gateway_records_due(gateway);
    assert_int_equal(noted.kept, 1);
}

static void test_one_that_leaves(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    char id[STORE_ID_MAX];
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    fixture_accept(gateway, &peer);
    (void)str_copy(id, sizeof id, str_from(fixture_id(&peer)));
    fixture_leave(&peer);
    assert_string_equal(noted.kept_id, id);
    assert_int_equal(noted.kept, 1);
    assert_int_equal(noted.record.failures, 1); /* it took a job along */
    call_abandon(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_one_that_is_new),
        FIXTURE_TEST(test_what_has_not_changed_is_not_written),
        FIXTURE_TEST(test_one_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
