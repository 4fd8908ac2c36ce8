#include "format/completions.h"

#include "format/events.h"

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
    bool read = FORMAT_COMPLETIONS.read(body, &arena, &input, &err);
    json_parser_free(parser);
    return read;
}

static void test_a_prompt_is_text_to_go_on_with(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"prompt\":\"Write \\u00e9\"}"));
    assert_int_equal(input.request.message_count, 0);
    assert_true(str_equal(input.request.prompt, STR("Write \xc3\xa9")));
    assert_int_equal(input.request.max_tokens, 16);
    assert_false(input.request.max_tokens_given);
    assert_int_equal(input.prompts->count, 1);
    assert_false(input.prompts->echo);
}

static void test_several(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"prompt\":[\"a\",\" b\"],\"echo\":true,\"max_tokens\":5,\"best_of\":1,"
                          "\"suffix\":\"\",\"logprobs\":null,\"messages\":[],\"user\":\"u\",\"odd\":1}"));
    assert_int_equal(input.prompts->count, 2);
    assert_true(str_equal(input.prompts->items[1], STR(" b")));
    assert_true(str_equal(input.request.prompt, STR("a")));
    assert_true(input.prompts->echo && input.request.max_tokens_given);
    assert_true(str_equal(input.ignored, STR("\"ignored\":[\"odd\"]")));
}

static void test_refused(void **state) {
    (void)state;
    static const struct {
        const char *more, *param;
        enum err_code code;
    } cases[] = {
        {"", "prompt", ERR_INVALID},
        {",\"prompt\":null", "prompt", ERR_INVALID},
        {",\"prompt\":\"\"", "prompt", ERR_INVALID},
        {",\"prompt\":[]", "prompt", ERR_INVALID},
        {",\"prompt\":true", "prompt", ERR_INVALID},
        {",\"prompt\":[\"a\",\"\"]", "prompt[1]", ERR_INVALID},
        {",\"prompt\":[\"a\",{}]", "prompt[1]", ERR_INVALID},
        {",\"prompt\":[1,2]", "prompt", ERR_UNSUPPORTED},
        {",\"prompt\":[\"a\",2]", "prompt", ERR_UNSUPPORTED},
        {",\"prompt\":[[1],[2]]", "prompt", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"echo\":1", "echo", ERR_INVALID},
        {",\"prompt\":\"p\",\"logprobs\":0", "logprobs", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"logprobs\":true", "logprobs", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"suffix\":\"s\"", "suffix", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"best_of\":3", "best_of", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"tools\":[{}]", "tools", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"messages\":[{}]", "messages", ERR_UNSUPPORTED},
        {",\"prompt\":\"p\",\"max_tokens\":0", "max_tokens", ERR_INVALID},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char body[256];
        (void)snprintf(body, sizeof(body), "{\"model\":\"m\"%s}", cases[i].more);
        assert_false(read_text(body));
        assert_string_equal(err.field, cases[i].param);
        assert_int_equal(err.code, cases[i].code);
    }
    assert_false(read_text("[]"));
}

static bool read_many(size_t count) {
    struct buf body;
    buf_init(&body, ARENA_BYTES);
    buf_append_cstr(&body, "{\"model\":\"m\",\"prompt\":[\"a\"");
    for (size_t i = 1; i < count; i++) {
        buf_append_cstr(&body, ",\"a\"");
    }
    buf_append_cstr(&body, "]}");
    const bool read = read_text(buf_cstr(&body));
    buf_clear(&body);
    return read;
}

static void test_no_more_than_the_limit(void **state) {
    (void)state;
    assert_true(read_many(LIMIT_PROMPTS));
    assert_int_equal(input.prompts->count, LIMIT_PROMPTS);
    assert_false(read_many(LIMIT_PROMPTS + 1));
    assert_string_equal(err.field, "prompt");
}

/* --- Answers --- */

static const struct str prompts[] = {STR("P\""), STR("Q")};
static const struct call_prompts again = {.items = prompts, .count = 2, .echo = true};
static const struct call_choice choices[] = {{.text = STR("one"), .finish = GEN_FINISH_STOP},
                                             {.text = STR("two"), .finish = GEN_FINISH_LENGTH}};

static struct answer answer_of(const struct call_result *result) {
    return (struct answer){.id = "cmpl-1",
                           .model = STR("m"),
                           .text = STR("alone"),
                           .created_ms = 5000,
                           .result = result,
                           .ignored = STR("")};
}

#define USAGE                                                                                                          \
    "\"usage\":{\"prompt_tokens\":2,\"completion_tokens\":3,\"total_tokens\":5,\"prompt_tokens_details\":"             \
    "{\"cached_tokens\":0}}"

static void test_whole(void **state) {
    struct call_result result = {.finish = GEN_FINISH_LENGTH, .usage = {2, 3, 0}, .nataris = STR("{\"a\":1}")};
    struct answer answer = answer_of(&result);
    struct buf out;
    (void)state;
    buf_init(&out, ARENA_BYTES);
    FORMAT_COMPLETIONS.whole(&answer, &out);
    assert_string_equal(buf_cstr(&out),
                        "{\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":5,\"model\":\"m\","
                        "\"choices\":[{\"index\":0,\"text\":\"alone\",\"logprobs\":null,"
                        "\"finish_reason\":\"length\"}]," USAGE ",\"nataris\":{\"a\":1}}");
    result.choices = choices;
    result.choice_count = COUNT_OF(choices);
    answer.prompts = &again;
    buf_reset(&out);
    FORMAT_COMPLETIONS.whole(&answer, &out);
    assert_non_null(strstr(buf_cstr(&out), "[{\"index\":0,\"text\":\"P\\\"one\",\"logprobs\":null,\"finish_reason\":"
                                           "\"stop\"},{\"index\":1,\"text\":\"Qtwo\",\"logprobs\":null,"
                                           "\"finish_reason\":\"length\"}]"));
    buf_clear(&out);
}

static size_t count_of(const char *text, const char *part) {
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part)) {
        count++;
    }
    return count;
}

static void test_stream(void **state) {
    const struct call_result result = {
        .usage = {2, 3, 0}, .nataris = STR("{\"a\":1}"), .choices = choices, .choice_count = COUNT_OF(choices)};
    struct answer answer = answer_of(&result);
    struct format_stream stream;
    struct buf out;
    (void)state;
    answer.prompts = &again;
    buf_init(&out, ARENA_BYTES);
    arena_clear(&arena);
    assert_true(events_prepare(&stream, &FORMAT_COMPLETIONS, &answer, true, &arena, &out));
    buf_reset(&out);
    events_write_whole(&stream, &answer, &out);
    const char *text = buf_cstr(&out);
    assert_int_equal(count_of(text, "data: {\"id\":\"cmpl-1\",\"object\":\"text_completion\",\"created\":5"), 7);
    assert_non_null(strstr(text, "{\"index\":0,\"text\":\"P\\\"\""));
    assert_non_null(
        strstr(text, "{\"index\":1,\"text\":\"two\",\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}"));
    assert_non_null(strstr(text,
                           "{\"index\":1,\"text\":\"\",\"logprobs\":null,\"finish_reason\":\"length\"}],\"usage\":null,"
                           "\"nataris\":{\"a\":1}}"));
    assert_non_null(strstr(text, "\"choices\":[]," USAGE "}\n\ndata: [DONE]\n\n"));
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_prompt_is_text_to_go_on_with),
        cmocka_unit_test(test_several),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_no_more_than_the_limit),
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_stream),
    };
    arena_init(&arena, ARENA_BYTES);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_clear(&arena);
    return failed;
}
