/* The bodies and answers of the webhooks' routes. */
#include "webhook/fields.h"

#include "base/clock.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct json_parser *parser;

static int setup(void **state) {
    (void)state;
    parser = json_parser_new(64 * 1024, 8);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    json_parser_free(parser);
    return 0;
}

static bool read_body(const char *text, bool lax, struct store_webhook_change *change, struct err *err) {
    struct json_value body;
    *change = (struct store_webhook_change){0};
    assert_true(json_parse(parser, str_from(text), &body, err));
    return webhook_fields_read(body, lax, change, err);
}

static void every_member(void **state) {
    struct store_webhook_change change;
    struct err err;
    (void)state;
    assert_true(
        read_body("{\"url\":\"https://example.com/hook?a=1\",\"description\":\"ours\",\"events\":[\"job.failed\","
                  "\"balance.low\"],\"balance_low_usd\":0.000000001,\"usage_thresholds_usd\":[1,2.5],"
                  "\"status\":\"disabled\",\"more\":{}}",
                  false, &change, &err));
    const struct store_webhook *webhook = &change.webhook;
    assert_true(change.set_url && change.set_description && change.set_events && change.set_balance &&
                change.set_usage && change.set_state);
    assert_string_equal(webhook->url, "https://example.com/hook?a=1");
    assert_string_equal(webhook->description, "ours");
    assert_int_equal(webhook->events, 1U << STORE_EVENT_JOB_FAILED | 1U << STORE_EVENT_BALANCE_LOW);
    assert_int_equal(webhook->balance_nano, 1);
    assert_int_equal(webhook->usage_count, 2);
    assert_int_equal(webhook->usage_nano[0], INT64_C(1000000000));
    assert_int_equal(webhook->usage_nano[1], INT64_C(2500000000));
    assert_int_equal(webhook->state, STORE_WEBHOOK_DISABLED);
    assert_true(read_body("{\"status\":\"enabled\",\"usage_thresholds_usd\":[]}", false, &change, &err));
    assert_int_equal(webhook->state, STORE_WEBHOOK_ENABLED);
    assert_true(change.set_usage && webhook->usage_count == 0);
    /* What doubles add up to is the nearest nano-dollar; amounts that are equal then are one. */
    assert_true(read_body("{\"usage_thresholds_usd\":[0.30000000000000004,0.3,0.7999999999999999,3e-1]}", false,
                          &change, &err));
    assert_int_equal(webhook->usage_count, 2);
    assert_int_equal(webhook->usage_nano[0], INT64_C(300000000));
    assert_int_equal(webhook->usage_nano[1], INT64_C(800000000));
}

static void what_is_not_there_is_not_set(void **state) {
    static const char *const BODIES[] = {"{}",
                                         "{\"url\":null,\"description\":null,\"events\":null,\"balance_low_usd\":null,"
                                         "\"usage_thresholds_usd\":null,\"status\":null}"};
    struct store_webhook_change change;
    struct err err;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(BODIES); i++) {
        assert_true(read_body(BODIES[i], false, &change, &err));
        assert_false(change.set_url || change.set_description || change.set_events || change.set_balance ||
                     change.set_usage || change.set_state);
    }
}

static void what_is_refused_by_name(void **state) {
    static const struct {
        const char *body, *field;
    } CASES[] = {
        {"{\"url\":1}", "url"},
        {"{\"url\":\"http://example.com/\"}", "url"},
        {"{\"url\":\"https://127.0.0.1/\"}", "url"},
        {"{\"url\":\"https://example.com/?%ux\"}", "url"},
        {"{\"url\":\"https://example.com/a%2\"}", "url"},
        {"{\"url\":\"https://example.com/%\"}", "url"},
        {"{\"description\":[]}", "description"},
        {"{\"description\":\"a\\u0000b\"}", "description"},
        {"{\"events\":[]}", "events"},
        {"{\"events\":\"balance.low\"}", "events"},
        {"{\"events\":[\"test\"]}", "events"},
        {"{\"events\":[1]}", "events"},
        {"{\"balance_low_usd\":0}", "balance_low_usd"},
        {"{\"balance_low_usd\":\"1\"}", "balance_low_usd"},
        {"{\"balance_low_usd\":-1}", "balance_low_usd"},
        {"{\"balance_low_usd\":0.0000000001}", "balance_low_usd"},
        {"{\"balance_low_usd\":1e30}", "balance_low_usd"},
        {"{\"usage_thresholds_usd\":1}", "usage_thresholds_usd"},
        {"{\"usage_thresholds_usd\":[0]}", "usage_thresholds_usd"},
        {"{\"usage_thresholds_usd\":[1,2,3,4,5,6,7,8,9]}", "usage_thresholds_usd"},
        {"{\"status\":\"gone\"}", "status"},
        {"{\"status\":true}", "status"},
        {"{\"status\":\"a word that is longer than any\"}", "status"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct store_webhook_change change;
        struct err err = {0};
        if (read_body(CASES[i].body, false, &change, &err)) {
            fail_msg("%s was taken", CASES[i].body);
        }
        assert_int_equal(err.code, ERR_INVALID);
        assert_string_equal(err.field, CASES[i].field);
    }
}

static void operators_may_name_their_own_network(void **state) {
    struct store_webhook_change change;
    struct err err;
    (void)state;
    assert_true(read_body("{\"url\":\"http://127.0.0.1:8080/\"}", true, &change, &err));
}

/* --- Writing --- */

static const char *written(void (*write)(struct json_writer *writer, const void *what), const void *what) {
    static struct buf text;
    struct json_writer writer;
    buf_clear(&text);
    buf_init(&text, 8192);
    json_writer_init(&writer, &text);
    write(&writer, what);
    return buf_cstr(&text);
}

static void write_shown(struct json_writer *writer, const void *what) {
    webhook_write(writer, what, false);
}

static void write_with_secret(struct json_writer *writer, const void *what) {
    webhook_write(writer, what, true);
}

static void write_delivery(struct json_writer *writer, const void *what) {
    webhook_write_delivery(writer, what);
}

static void a_webhook(void **state) {
    struct store_webhook webhook = {.id = "wh_1",
                                    .url = "https://example.com/",
                                    .events = 1U << STORE_EVENT_JOB_COMPLETED | 1U << STORE_EVENT_USAGE_THRESHOLD,
                                    .balance_nano = 1500000000,
                                    .usage_nano = {1, 2000000000},
                                    .usage_count = 2,
                                    .old_until_ms = 1,
                                    .created_ms = INT64_C(1767225600000),
                                    .waiting = 7,
                                    .dropped = 3,
                                    .dropped_ms = INT64_C(1767225600001)};
    (void)state;
    assert_string_equal(written(write_shown, &webhook),
                        "{\"id\":\"wh_1\",\"object\":\"webhook\",\"url\":\"https://example.com/\",\"description\":null,"
                        "\"status\":\"enabled\",\"events\":[\"job.completed\",\"usage.threshold\"],"
                        "\"balance_low_usd\":1.5,\"usage_thresholds_usd\":[0.000000001,2],"
                        "\"old_secret_expires_at\":null,\"created_at\":\"2026-01-01T00:00:00.000Z\","
                        "\"waiting\":7,\"dropped\":3,\"last_dropped_at\":\"2026-01-01T00:00:00.001Z\"}");
    webhook.old_until_ms = INT64_C(4102444800000); /* 2100 */
    assert_non_null(strstr(written(write_shown, &webhook), "\"old_secret_expires_at\":\"2100-01-01T00:00:00.000Z\""));
    assert_null(strstr(written(write_shown, &webhook), "whsec_"));
    assert_non_null(strstr(written(write_with_secret, &webhook), "\"secret\":\"whsec_AAAA"));
    str_copy(webhook.description, sizeof(webhook.description), STR("ours"));
    webhook.state = STORE_WEBHOOK_DISABLED;
    assert_non_null(strstr(written(write_shown, &webhook), "\"description\":\"ours\",\"status\":\"disabled\""));
    webhook.state = STORE_WEBHOOK_GONE;
    assert_non_null(strstr(written(write_shown, &webhook), "\"status\":\"gone\""));
}

static void a_delivery(void **state) {
    struct store_delivery delivery = {.id = "dlv_1",
                                      .event_id = "evt_1",
                                      .kind = STORE_EVENT_JOB_FAILED,
                                      .due_ms = INT64_C(1767225660000),
                                      .created_ms = INT64_C(1767225600000)};
    (void)state;
    assert_string_equal(
        written(write_delivery, &delivery),
        "{\"id\":\"dlv_1\",\"object\":\"webhook.delivery\",\"event_id\":\"evt_1\",\"event\":\"job.failed\","
        "\"status\":\"waiting\",\"requested\":false,\"attempts\":0,\"created_at\":\"2026-01-01T00:00:00.000Z\","
        "\"next_attempt_at\":\"2026-01-01T00:01:00.000Z\",\"last_attempt_at\":null,\"last_response\":null}");
    delivery.state = STORE_DELIVERY_DELIVERED;
    delivery.attempts = 2;
    delivery.tried_ms = INT64_C(1767225601000);
    delivery.status = 200;
    delivery.latency_ms = 7;
    str_copy(delivery.response, sizeof(delivery.response), STR("ok"));
    assert_non_null(strstr(written(write_delivery, &delivery),
                           "\"status\":\"delivered\",\"requested\":false,\"attempts\":2,"
                           "\"created_at\":\"2026-01-01T00:00:00.000Z\",\"next_attempt_at\":null,"
                           "\"last_attempt_at\":\"2026-01-01T00:00:01.000Z\",\"last_response\":{\"status\":200,"
                           "\"latency_ms\":7,\"error\":null,\"body\":\"ok\"}}"));
    delivery.state = STORE_DELIVERY_FAILED;
    delivery.status = 0;
    str_copy(delivery.note, sizeof(delivery.note), STR("no connection"));
    assert_non_null(strstr(written(write_delivery, &delivery), "\"status\":\"failed\""));
    assert_non_null(
        strstr(written(write_delivery, &delivery), "{\"status\":null,\"latency_ms\":7,\"error\":\"no connection\""));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_member),
        cmocka_unit_test(what_is_not_there_is_not_set),
        cmocka_unit_test(what_is_refused_by_name),
        cmocka_unit_test(operators_may_name_their_own_network),
        cmocka_unit_test(a_webhook),
        cmocka_unit_test(a_delivery),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
