#include "format/chat.h"
#include "format/fields.h"
#include "format/inference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 16 };

static struct arena arena;
static struct call_input input;
static struct err err;

static bool read_text(const char *text) {
    struct json_parser *parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    struct json_value body;
    arena_clear(&arena);
    assert_true(json_parse(parser, str_from(text), &body, &err));
    bool read = FORMAT_INFERENCE.read(body, &arena, &input, &err);
    json_parser_free(parser);
    return read;
}

static void test_prompt_is_one_user_message(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"prompt\":\"Write \\u00e9\"}"));
    assert_int_equal(input.request.message_count, 1);
    assert_int_equal(input.request.messages[0].role, GEN_ROLE_USER);
    assert_true(str_equal(input.request.messages[0].content, STR("Write \xc3\xa9")));
    assert_int_equal(input.request.max_tokens, 100);
    assert_false(input.request.max_tokens_given);
    assert_true(input.request.temperature == 0.7);
    assert_false(input.stream);
}

static void test_options(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"prompt\":\"p\",\"max_tokens\":50,\"temperature\":0.8,\"stream\":true,"
                          "\"messages\":[],\"tag\":7,\"guided_json\":null}"));
    assert_int_equal(input.request.max_tokens, 50);
    assert_true(input.request.max_tokens_given && input.stream);
    assert_true(input.request.temperature == 0.8);
    assert_true(str_equal(input.ignored, STR("\"ignored\":[\"tag\"]")));
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *param;
    } cases[] = {
        {"{\"model\":\"m\"}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":null}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":\"\"}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":[\"a\"]}", "prompt"},
        {"{\"model\":\"m\",\"prompt\":5}", "prompt"},
        {"{\"prompt\":\"p\"}", "model"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"temperature\":3}", "temperature"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"tools\":[1]}", "tools"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"orchestration\":{\"enabled\":true}}", "orchestration.enabled"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"orchestration\":{\"enabled\":1}}", "orchestration.enabled"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"orchestration\":true}", "orchestration"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", "messages"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"suffix\":\"s\"}", "suffix"},
        {"{\"model\":\"m\",\"prompt\":\"p\",\"echo\":true}", "echo"},
        {"[]", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(read_text(cases[i].text));
        assert_string_equal(err.field, cases[i].param);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prompt_is_one_user_message),
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_refused),
    };
    arena_init(&arena, ARENA_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_clear(&arena);
    return failed;
}
