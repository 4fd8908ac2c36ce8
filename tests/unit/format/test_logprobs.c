/* Log-probabilities of chats: how they are asked for, and how they are written. */
#include "support/request_reader.h"

#include "format/logprobs.h"
#include "wire/logprobs.h"

static void test_asked_for(void **state) {
    static const struct {
        const char *members;
        bool wanted;
        uint32_t top;
    } cases[] = {{"", false, 0},
                 {"\"logprobs\":true", true, 0},
                 {"\"logprobs\":true,\"top_logprobs\":20", true, 20},
                 {"\"top_logprobs\":3,\"logprobs\":true", true, 3},
                 {"\"logprobs\":true,\"top_logprobs\":null", true, 0},
                 {"\"logprobs\":false,\"top_logprobs\":0", false, 0}};
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(reader_read_members(reader, cases[i].members));
        assert_int_equal(reader->input.request.logprobs, cases[i].wanted);
        assert_int_equal(reader->input.request.top_logprobs, cases[i].top);
    }
}

static void test_refused(void **state) {
    static const struct refusal refusals[] = {
        {"\"logprobs\":1", "logprobs", "true or false"},
        {"\"logprobs\":\"yes\"", "logprobs", NULL},
        {"\"logprobs\":true,\"top_logprobs\":21", "top_logprobs", "between 0 and 20"},
        {"\"logprobs\":true,\"top_logprobs\":1.5", "top_logprobs", NULL},
        {"\"top_logprobs\":2", "top_logprobs", "only with"},
        {"\"logprobs\":false,\"top_logprobs\":2", "top_logprobs", "only with"},
        {"\"logprobs\":true,\"orchestration\":{\"enabled\":true}", "logprobs", "not supported yet"},
        {"\"logprobs\":true,\"tools\":[{\"type\":\"function\",\"function\":{\"name\":\"f\"}}]", "logprobs",
         "not supported yet"},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, reader_read_members(*state, refusals[i].text), &refusals[i]);
    }
}

static void test_written(void **state) {
    const struct gen_token_logprobs token = {.taken = {1, -0.25F, STR("\xf0\x9f")},
                                             .other_count = 2,
                                             .others = {{1, 0.0F, STR(" \"a")}, {2, -9999.0F, STR("")}}};
    struct buf encoded, out;
    struct json_writer writer;
    (void)state;
    buf_init(&encoded, 1 << 10);
    buf_init(&out, 1 << 10);
    json_writer_init(&writer, &out);
    gen_logprobs_append(&encoded, &token);
    logprobs_write_chat(&writer, buf_str(&encoded));
    assert_string_equal(
        buf_cstr(&out),
        "{\"content\":[{\"token\":\"\xef\xbf\xbd\",\"logprob\":-0.25,\"bytes\":[240,159],\"top_logprobs\":["
        "{\"token\":\" \\\"a\",\"logprob\":0,\"bytes\":[32,34,97]},"
        "{\"token\":\"\",\"logprob\":-9999,\"bytes\":[]}]}],\"refusal\":null}");
    buf_clear(&encoded);
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test_setup_teardown(test_asked_for, reader_setup, reader_teardown),
                                       cmocka_unit_test_setup_teardown(test_refused, reader_setup, reader_teardown),
                                       cmocka_unit_test(test_written)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
