/* What the operator and an owner are told of a device: that it is away, or what is live of it. */
#include "gateway/operator/device_view.h"

#include "unit/gateway/operator/operator_fixture.h"

#define JOINED_MS INT64_C(1767225600000) /* 2026-01-01 */

static void tell(struct operator_fixture *fixture, uint64_t provider, enum link_pause pause) {
    const struct device_view view = {
        .core = fixture->core,
        .handle = provider,
        .now_ms = fixture->now_ms,
        .joined_ms = JOINED_MS,
        .pause = pause,
        .last_seen_ms = JOINED_MS,
        .device = &(struct store_device){.id = "prov_1"},
        .kept = {.generations = 7, .failures = 2, .success = 700, .uptime = 300, .reviews = 1}};
    struct json_writer writer;
    operator_begin(fixture, &writer);
    json_begin_object(&writer);
    device_view_write(&view, &writer);
    json_end_object(&writer);
}

#define KEPT                                                                                                           \
    "\"record\":{\"jobs\":7,\"failures\":2,\"success_permille\":700,\"uptime_permille\":300,\"reviews\":1,\"audits_"   \
    "passed\":0}"

static void test_one_that_is_away(void **state) {
    struct operator_fixture *fixture = *state;
    tell(fixture, CORE_NO_HANDLE, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "{\"connected\":false,\"since\":\"2026-01-01T00:00:00.000Z\",\"state\":\"away\"," KEPT
                                 ",\"why\":[\"It is not connected: ");
    operator_assert_lacks(fixture, "\"models\"");
}

static void test_one_never_seen(void **state) {
    struct operator_fixture *fixture = *state;
    const struct device_view view = {.core = fixture->core, .device = &(struct store_device){.id = "prov_1"}};
    struct json_writer writer;
    operator_begin(fixture, &writer);
    json_begin_object(&writer);
    device_view_write(&view, &writer);
    json_end_object(&writer);
    operator_assert_has(fixture, "{\"connected\":false,\"since\":null,\"state\":\"away\"");
}

/* The handle is stale: as of one that is away. */
static void test_one_that_the_core_has_forgotten(void **state) {
    struct operator_fixture *fixture = *state;
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_PROVIDER_LEFT, .provider = provider});
    tell(fixture, provider, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "\"state\":\"away\"," KEPT);
}

static void test_an_idle_one(void **state) {
    struct operator_fixture *fixture = *state;
    tell(fixture, operator_join(fixture, CORE_MODEL_WARM), LINK_PAUSE_NONE);
    operator_assert_has(fixture, "{\"connected\":true,\"since\":\"2026-01-01T00:00:00.000Z\",\"state\":\"idle\","
                                 "\"record\":{\"jobs\":0,");
    operator_assert_has(
        fixture,
        "\"trust\":\"trusted\",\"heat\":\"nominal\",\"battery_percent\":null,\"charging\":false,\"paused\":null,"
        "\"cooldown_ms\":0,\"active_jobs\":0,\"models\":[{\"model\":\"tiny\","
        "\"state\":\"warm\",\"slots\":1,\"slots_claimed\":1,\"active\":0,\"context_length\":4096,"
        "\"gate\":\"none\",\"yields\":\"none\",\"why\":\"No demand lately: nobody asks for this model.\","
        "\"advice\":null,\"prefill_tokens_per_s\":0,\"decode_tokens_per_s\":0,\"rivals\":0,"
        "\"jobs_waiting\":0}]");
    operator_assert_has(fixture, "],\"why\":[\"tiny (warm): No demand lately");
}

static void test_heat_and_battery(void **state) {
    static const struct {
        enum core_heat heat;
        const char *name;
    } cases[] = {{CORE_HEAT_NOMINAL, "\"heat\":\"nominal\",\"battery_percent\":0,\"charging\":false"},
                 {CORE_HEAT_FAIR, "\"heat\":\"fair\",\"battery_percent\":1,\"charging\":true"},
                 {CORE_HEAT_SERIOUS, "\"heat\":\"serious\",\"battery_percent\":2,\"charging\":false"},
                 {CORE_HEAT_CRITICAL, "\"heat\":\"critical\",\"battery_percent\":3,\"charging\":true"}};
    struct operator_fixture *fixture = *state;
    const struct core_offer offer = operator_offer(CORE_MODEL_WARM);
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct core_device_state device = {
            .heat = cases[i].heat, .battery_percent = (int32_t)i, .charging = i % 2 == 1};
        operator_status(fixture, provider, &offer, device);
        tell(fixture, provider, LINK_PAUSE_NONE);
        operator_assert_has(fixture, cases[i].name);
    }
    operator_assert_has(
        fixture, "\"gate\":\"heat\",\"yields\":\"none\",\"why\":\"it is too hot\",\"advice\":\"Let it cool down;");
}

/* The worst that is true of it is its state. */
static void test_states(void **state) {
    struct operator_fixture *fixture = *state;
    const struct core_offer offer = operator_offer(CORE_MODEL_WARM);
    const uint64_t provider = operator_join(fixture, CORE_MODEL_WARM);
    const uint64_t generation = operator_ask(fixture, "chatcmpl-1");
    tell(fixture, provider, LINK_PAUSE_NONE);
    operator_assert_has(fixture, "\"state\":\"busy\"");
    operator_assert_has(fixture, "\"active_jobs\":1");
    struct core_device_state paused = operator_device();
    paused.paused = true;
    operator_status(fixture, provider, &offer, paused);
    tell(fixture, provider, LINK_PAUSE_HOURS);
    operator_assert_has(fixture, "\"state\":\"paused\"");
    operator_assert_has(fixture, "\"paused\":\"hours\"");
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_ERROR,
                                                .provider = provider,
                                                .generation = generation,
                                                .error = {.failure = CORE_ATTEMPT_ENGINE}});
    tell(fixture, provider, LINK_PAUSE_HOURS);
    operator_assert_has(fixture, "\"state\":\"cooling down\"");
    operator_assert_lacks(fixture, "\"cooldown_ms\":0,");
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_PROVIDER_DRAINING, .provider = provider});
    tell(fixture, provider, LINK_PAUSE_HOURS);
    operator_assert_has(fixture, "\"state\":\"draining\"");
    operator_step(fixture, &(struct core_event){.kind = CORE_EVENT_PROVIDER_SILENT, .provider = provider});
    tell(fixture, provider, LINK_PAUSE_HOURS);
    operator_assert_has(fixture, "\"state\":\"silent\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        OPERATOR_TEST(test_one_that_is_away),
        OPERATOR_TEST(test_one_never_seen),
        OPERATOR_TEST(test_one_that_the_core_has_forgotten),
        OPERATOR_TEST(test_an_idle_one),
        OPERATOR_TEST(test_heat_and_battery),
        OPERATOR_TEST(test_states),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
