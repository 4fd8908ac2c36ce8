/* What `nataris job explain` is told, of jobs that live and of those that have ended. */
#include "unit/gateway/gateway_fixture.h"

static const char *explain(struct gateway *gateway, const char *id, struct buf *out) {
    struct json_writer writer;
    buf_init(out, 1 << 20);
    json_writer_init(&writer, out);
    assert_true(gateway_job_write(gateway, id, &writer));
    return buf_cstr(out);
}

static void test_a_job_that_lives(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    struct buf text;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    const char *told = explain(gateway, "chatcmpl-1", &text);
    assert_non_null(strstr(told, "\"outcome\":null"));
    assert_non_null(strstr(told, "\"now\":["));
    assert_non_null(strstr(told, "\"name\":\"laptop\""));
    assert_non_null(strstr(told, "won, ready in "));
    buf_clear(&text);
    fixture_answer(gateway, &peer, "hi");
}

static void test_its_device_has_gone_since(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    struct buf text;
    char id[STORE_ID_MAX], member[STORE_ID_MAX + 20];
    fixture_join(gateway, &peer, "an old\x1b[2J \"phone\"", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    fixture_answer(gateway, &peer, "hi");
    (void)str_copy(id, sizeof id, str_from(fixture_id(&peer)));
    fixture_leave(&peer);
    const char *told = explain(gateway, "chatcmpl-1", &text);
    snprintf(member, sizeof member, "\"provider_id\":\"%s\"", id);
    assert_non_null(strstr(told, member));
    assert_non_null(strstr(told, "\"name\":\"an old\\u001b[2J \\\"phone\\\"\""));
    assert_non_null(strstr(told, "\"outcome\":\"completed\""));
    assert_non_null(strstr(told, "\"state\":\"streaming\""));
    assert_null(strstr(told, "\"now\""));
    buf_clear(&text);
}

/* So many devices have gone since that this one's name is forgotten: its job is told all the same. */
static void test_its_device_is_forgotten(void **state) {
    struct gateway *gateway = *state;
    static struct link_peer peer;
    struct call call;
    struct gen_message message;
    struct buf text;
    fixture_join(gateway, &peer, "laptop", LINK_MODEL_WARM, 4096);
    fixture_ask(gateway, &call, &message, "chatcmpl-1");
    fixture_answer(gateway, &peer, "hi");
    for (unsigned i = 0; i <= JOB_LOG_KEPT; i++) {
        fixture_leave(&peer);
        fixture_join(gateway, &peer, "another", LINK_MODEL_WARM, 4096);
    }
    const char *told = explain(gateway, "chatcmpl-1", &text);
    assert_non_null(strstr(told, "\"provider_id\":null"));
    assert_null(strstr(told, "another"));
    buf_clear(&text);
}

static void test_a_job_nobody_knows(void **state) {
    struct gateway *gateway = *state;
    struct buf text;
    struct json_writer writer;
    buf_init(&text, 1024);
    json_writer_init(&writer, &text);
    assert_false(gateway_job_write(gateway, "chatcmpl-none", &writer));
    assert_false(gateway_job_write(gateway, "", &writer));
    assert_int_equal(text.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(test_a_job_that_lives),
        FIXTURE_TEST(test_its_device_has_gone_since),
        FIXTURE_TEST(test_its_device_is_forgotten),
        FIXTURE_TEST(test_a_job_nobody_knows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
