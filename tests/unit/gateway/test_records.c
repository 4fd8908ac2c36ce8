/* When a device's record is written, and what one is that has none. */
#include "gateway/records.h"

#include "unit/gateway/shell_fixture.h"

static void test_one_that_is_new(void **state) {
    (void)state;
    struct core_record fresh;
    core_record_init(&fresh);
    const struct store_record none = {.success = 1, .uptime = 1},
                              kept = {.generations = 7, .success = 500, .kept_ms = 1};
    assert_int_equal(record_from_store(&none).success, fresh.success); /* not what an empty row says */
    assert_int_equal(record_from_store(&kept).success, 500);
    assert_int_equal(record_from_store(&kept).generations, 7);
}

static void test_what_is_worth_a_write(void **state) {
    const struct store_record kept = {.generations = 7, .reviews = 1, .uptime = 900};
    (void)state;
    assert_false(record_has_changed(&kept, &(struct core_record){.generations = 7, .reviews = 1, .uptime = 800}));
    assert_true(record_has_changed(&kept, &(struct core_record){.generations = 8, .reviews = 1}));
    assert_true(record_has_changed(&kept, &(struct core_record){.generations = 7, .reviews = 2}));
    assert_true(record_has_changed(&kept, &(struct core_record){.generations = 7, .reviews = 1, .audits = 1}));
}

static void test_it_is_kept_on_both_sides(void **state) {
    struct store_device device = {.id = "prov_1"};
    const struct core_record now = {.generations = 9,
                                    .failures = 2,
                                    .reviews = 3,
                                    .success = 700,
                                    .uptime = 800,
                                    .prefill_factor = 1100,
                                    .decode_factor = 1200,
                                    .audits = 4,
                                    .earned = 17};
    (void)state;
    fake_store_reset();
    record_keep(NULL, &device, &now);
    assert_string_equal(fake_store.kept_id, "prov_1");
    assert_memory_equal(&fake_store.record, &device.record, sizeof(device.record));
    assert_true(device.record.kept_ms > 0);
    const struct core_record again = record_from_store(&device.record);
    assert_memory_equal(&again, &now, sizeof(now));
}

static void test_what_has_not_changed_is_not_written(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer, idle;
    struct shell_call call = {0};
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_join(fixture, &idle, "idle", LINK_MODEL_WARM, 4096);
    providers_records_due(&fixture->shell.providers);
    assert_int_equal(fake_store.kept, 0);
    shell_answer(fixture, &peer, "hi");
    providers_records_due(&fixture->shell.providers);
    assert_int_equal(fake_store.kept, 1);
    assert_string_equal(fake_store.kept_id, shell_device_id(&peer));
    assert_int_equal(fake_store.record.generations, 1);
    assert_true(fake_store.record.kept_ms > 0);
    providers_records_due(&fixture->shell.providers);
    assert_int_equal(fake_store.kept, 1);
    shell_call_clear(&call);
}

static void test_one_that_leaves(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    char id[STORE_ID_MAX];
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    shell_accept(fixture, &peer);
    (void)str_copy(id, sizeof(id), str_from(shell_device_id(&peer)));
    shell_leave(&peer);
    assert_string_equal(fake_store.kept_id, id);
    assert_int_equal(fake_store.kept, 1);
    assert_int_equal(fake_store.record.failures, 1); /* it took a generation along */
    call_abandon(&call.call);
    shell_call_clear(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_that_is_new),
        cmocka_unit_test(test_what_is_worth_a_write),
        cmocka_unit_test(test_it_is_kept_on_both_sides),
        SHELL_TEST(test_what_has_not_changed_is_not_written),
        SHELL_TEST(test_one_that_leaves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
