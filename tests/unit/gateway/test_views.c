/* What the rooms above see: of models and money for calls, of a device and of a generation for people. */
#include "gateway/views.h"

#include "unit/gateway/shell_fixture.h"

static const struct call_counter NO_COUNTER = {0};

static void test_models_for_calls(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    const struct executor sandbox = {0};
    const struct call_backend backend = views_call_backend(&fixture->shell, &sandbox, &NO_COUNTER);
    uint32_t context_length = 0, percent = 0;
    struct str model;
    assert_ptr_equal(backend.sandbox, &sandbox);
    assert_ptr_equal(backend.devices, &fixture->shell.generations.executor);
    assert_int_equal(backend.availability(backend.context, STR(SHELL_MODEL), &context_length), CORE_MODEL_ABSENT);
    assert_false(backend.model_at(backend.context, 0, &model));
    assert_int_equal(backend.ready_in_ms(backend.context, STR(SHELL_MODEL), &percent), UINT64_MAX);
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    assert_int_equal(backend.availability(backend.context, STR(SHELL_MODEL), &context_length), CORE_MODEL_AVAILABLE);
    assert_int_equal(context_length, 4096);
    assert_true(backend.model_at(backend.context, 0, &model));
    assert_true(str_equal_cstr(model, SHELL_MODEL));
    assert_int_equal(backend.ready_in_ms(backend.context, STR(SHELL_MODEL), &percent), 0);
}

static void test_money_for_calls(void **state) {
    struct shell_fixture *fixture = *state;
    const struct call_backend backend = views_call_backend(&fixture->shell, NULL, &NO_COUNTER);
    struct core_account_view view;
    struct auth_identity identity = {.account_number = 3};
    assert_false(backend.account_view(backend.context, &identity, &view));
    shell_account(fixture, 3, 500);
    assert_true(backend.account_view(backend.context, &identity, &view));
    assert_int_equal(view.balance_nano, 500);
}

/* Whether anything at all could be answered now. */
static void test_ready(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    assert_false(views_ready(&fixture->shell));
    shell_join(fixture, &peer, "laptop", LINK_MODEL_DOWNLOADING, 0);
    assert_false(views_ready(&fixture->shell));
    shell_status(fixture, &peer, LINK_MODEL_WARM, 4096);
    assert_true(views_ready(&fixture->shell));
}

static void write_device(const struct shell_fixture *fixture, const struct store_device *device, struct buf *out) {
    struct json_writer writer;
    buf_init(out, 1 << 16);
    json_writer_init(&writer, out);
    json_begin_object(&writer);
    views_write_device(&fixture->shell, device, &writer);
    json_end_object(&writer);
}

static void test_a_device_that_is_here(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct buf text;
    shell_hello(fixture, &peer, "laptop");
    PROVIDERS_LINK_EVENTS.on_status(&fixture->shell.providers, &peer,
                                    &(struct link_status){.battery_percent = 80, .pause = LINK_PAUSE_BATTERY});
    write_device(fixture, &shell_provider(&peer)->device, &text);
    assert_non_null(strstr(buf_cstr(&text), "{\"connected\":true,\"since\":\"20"));
    assert_non_null(strstr(buf_cstr(&text), "\"state\":\"paused\""));
    assert_non_null(strstr(buf_cstr(&text), "\"battery_percent\":80,\"charging\":false,\"paused\":\"battery\""));
    buf_clear(&text);
}

/* Of one that is away it is what the store kept. */
static void test_a_device_that_is_away(void **state) {
    struct shell_fixture *fixture = *state;
    const struct store_device away = {.id = "prov_away", .record = {.generations = 12, .kept_ms = 1767225600000}};
    const struct store_device unseen = {.id = "prov_unseen"};
    struct buf text;
    write_device(fixture, &away, &text);
    assert_non_null(strstr(buf_cstr(&text), "{\"connected\":false,\"since\":\"2026-01-01T00:00:00.000Z\","
                                            "\"state\":\"away\",\"record\":{\"jobs\":12,"));
    buf_clear(&text);
    write_device(fixture, &unseen, &text);
    assert_non_null(strstr(buf_cstr(&text), "\"since\":null,\"state\":\"away\",\"record\":{\"jobs\":0,"));
    buf_clear(&text);
}

static bool write_story(struct shell_fixture *fixture, const char *id, struct buf *out) {
    struct json_writer writer;
    buf_init(out, 1 << 16);
    json_writer_init(&writer, out);
    return views_write_story(&fixture->shell, id, &writer);
}

static void test_a_generation_from_its_beginning_on(void **state) {
    struct shell_fixture *fixture = *state;
    static struct link_peer peer;
    struct shell_call call = {0};
    struct buf text;
    shell_join(fixture, &peer, "laptop", LINK_MODEL_WARM, 4096);
    shell_ask(fixture, &call, "chatcmpl-1");
    assert_true(write_story(fixture, "chatcmpl-1", &text));
    assert_non_null(strstr(buf_cstr(&text), "\"outcome\":null"));
    assert_non_null(strstr(buf_cstr(&text), "\"name\":\"laptop\""));
    assert_non_null(strstr(buf_cstr(&text), "\"now\":[{"));
    buf_clear(&text);
    shell_answer(fixture, &peer, "hi");
    shell_leave(&peer);
    assert_true(write_story(fixture, "chatcmpl-1", &text));
    assert_non_null(strstr(buf_cstr(&text), "\"outcome\":\"completed\""));
    assert_non_null(strstr(buf_cstr(&text), "\"name\":\"laptop\"")); /* as it was when it left */
    assert_null(strstr(buf_cstr(&text), "\"now\""));
    buf_clear(&text);
    shell_call_clear(&call);
}

static void test_a_generation_nobody_knows(void **state) {
    struct shell_fixture *fixture = *state;
    struct buf text;
    assert_false(write_story(fixture, "chatcmpl-none", &text));
    assert_int_equal(text.len, 0);
    assert_false(write_story(fixture, "", &text));
    assert_int_equal(text.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        SHELL_TEST(test_models_for_calls),
        SHELL_TEST(test_money_for_calls),
        SHELL_TEST(test_ready),
        SHELL_TEST(test_a_device_that_is_here),
        SHELL_TEST(test_a_device_that_is_away),
        SHELL_TEST(test_a_generation_from_its_beginning_on),
        SHELL_TEST(test_a_generation_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
