/* What a body of POST /v1/responses asks for, and the object that answers it. */
#include "format/responses.h"

#include "call/tools.h"
#include "format/history.h"
#include "format/responses_echo.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA_BYTES = 1 << 20 };

static struct arena arena;
static struct call_input input;
static struct err err;

static bool read_str(struct str text) {
    struct json_parser *parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    struct json_value body;
    arena_clear(&arena);
    assert_true(json_parse(parser, text, &body, &err));
    const bool read = FORMAT_RESPONSES.read(body, &arena, &input, &err);
    json_parser_free(parser);
    return read;
}

static bool read_text(const char *text) {
    return read_str(str_from(text));
}

static void test_a_text(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"input\":\"Write \\u00e9\"}"));
    assert_int_equal(input.request.message_count, 1);
    assert_int_equal(input.request.messages[0].role, GEN_ROLE_USER);
    assert_true(str_equal(input.request.messages[0].content, STR("Write \xc3\xa9")));
    assert_int_equal(input.request.max_tokens, 4096);
    assert_false(input.request.max_tokens_given);
    assert_null(input.tools);
    assert_int_equal(input.request.grammar.len, 0);
    assert_int_equal(input.ignored.len, 0);
}

static void test_options(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"instructions\":\"Be brief.\",\"max_output_tokens\":50,"
                          "\"temperature\":0,\"stream\":true,\"seed\":5,\"stop\":\"END\",\"messages\":[],\"tag\":7,"
                          "\"reasoning\":{\"effort\":\"none\"},\"previous_response_id\":null,\"background\":false}"));
    assert_int_equal(input.request.message_count, 2);
    assert_int_equal(input.request.messages[0].role, GEN_ROLE_SYSTEM);
    assert_true(str_equal(input.request.messages[0].content, STR("Be brief.")));
    assert_int_equal(input.request.max_tokens, 50);
    assert_true(input.request.max_tokens_given && input.stream && input.request.seed_given);
    assert_int_equal(input.request.stop_count, 1);
    assert_true(str_equal(input.ignored, STR("\"ignored\":[\"tag\"]")));
}

static void test_items(void **state) {
    (void)state;
    assert_true(read_text(
        "{\"model\":\"m\",\"input\":[{\"role\":\"developer\",\"content\":\"d\"},"
        "{\"type\":\"message\",\"role\":\"user\",\"content\":[{\"type\":\"input_text\",\"text\":\"a\"},"
        "{\"type\":\"input_text\",\"text\":\"b\"}]},"
        "{\"type\":\"reasoning\",\"summary\":[]},"
        "{\"type\":\"message\",\"id\":\"msg_1\",\"status\":\"completed\",\"role\":\"assistant\",\"content\":["
        "{\"type\":\"output_text\",\"text\":\"c\",\"annotations\":[]}]},"
        "{\"type\":\"function_call\",\"id\":\"fc_1\",\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{}\"},"
        "{\"type\":\"function_call_output\",\"call_id\":\"call_1\",\"output\":["
        "{\"type\":\"input_text\",\"text\":\"r\"}],\"extra\":1}]}"));
    const struct gen_message *messages = input.request.messages;
    assert_int_equal(input.request.message_count, 4);
    assert_int_equal(messages[0].role, GEN_ROLE_SYSTEM);
    assert_true(str_equal(messages[1].content, STR("ab")));
    assert_true(str_equal(messages[2].content, STR("c")));
    assert_int_equal(messages[2].tool_call_count, 1);
    assert_true(str_equal(messages[2].tool_calls[0].name, STR("f")));
    assert_int_equal(messages[3].role, GEN_ROLE_TOOL);
    assert_true(str_equal(messages[3].tool_call_id, STR("call_1")));
    assert_true(str_equal(messages[3].content, STR("r")));
    assert_true(str_equal(input.ignored, STR("\"ignored\":[\"input[].extra\"]")));
}

/* What kept answers are to add is for whoever reads those. */
static void test_an_open_history(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"instructions\":\"i\",\"store\":true,"
                          "\"previous_response_id\":\"resp_1\"}"));
    assert_true(history_is_open(input.history) && input.history->keep && input.history->keep_asked);
    assert_true(str_equal(input.history->previous, STR("resp_1")));
    assert_true(str_equal(input.history->instructions, STR("i")));
    assert_int_equal(input.request.message_count, 0);
    assert_true(read_text("{\"model\":\"m\",\"input\":[{\"id\":\"msg_1\"},{\"role\":\"user\",\"content\":\"a\"}]}"));
    assert_true(history_is_open(input.history) && input.history->keep && !input.history->keep_asked);
    assert_int_equal(input.history->references, 1);
    assert_true(input.history->items[0].reference && str_equal(input.history->items[0].id, STR("msg_1")));
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"store\":false}"));
    assert_false(history_is_open(input.history) || input.history->keep);
}

static void test_tools(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"tools\":[{\"type\":\"web_search\"},"
                          "{\"type\":\"function\",\"name\":\"f\",\"parameters\":{\"type\":\"object\"}}],"
                          "\"tool_choice\":\"required\",\"parallel_tool_calls\":false}"));
    assert_non_null(input.tools);
    assert_int_equal(input.tools->count, 1);
    assert_true(input.tools->one_call && input.request.grammar.len > 0);
    assert_true(str_equal(input.ignored, STR("\"ignored\":[\"tools[].web_search\"]")));
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"tools\":[{\"type\":\"web_search\"}]}"));
    assert_null(input.tools);
}

static void test_formats(void **state) {
    (void)state;
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"text\":{\"format\":{\"type\":\"json_schema\","
                          "\"name\":\"n\",\"strict\":true,\"schema\":{\"type\":\"boolean\"}}}}"));
    assert_true(input.request.grammar.len > 0);
    assert_true(read_text("{\"model\":\"m\",\"input\":\"p\",\"text\":{\"format\":{\"type\":\"text\"},"
                          "\"verbosity\":\"medium\"}}"));
    assert_int_equal(input.request.grammar.len, 0);
    assert_int_equal(input.ignored.len, 0);
}

static void test_refused(void **state) {
#define BODY "{\"model\":\"m\",\"input\":\"p\","
    static const struct {
        const char *text, *param;
    } cases[] = {
        {"{\"model\":\"m\"}", "input"},
        {"{\"model\":\"m\",\"input\":5}", "input"},
        {"{\"model\":\"m\",\"input\":[5]}", "input[0]"},
        {"{\"model\":\"m\",\"input\":[{\"type\":\"item_reference\"}]}", "input[0].id"},
        {"{\"model\":\"m\",\"input\":[{\"id\":7}]}", "input[0].id"},
        {"{\"model\":\"m\",\"input\":\"p\",\"store\":1}", "store"},
        {"{\"model\":\"m\",\"input\":[{\"role\":\"user\"}]}", "input[0].content"},
        {"{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":[1]}]}", "input[0].content[0]"},
        {"{\"input\":\"p\"}", "model"},
        {BODY "\"instructions\":[]}", "instructions"},
        {BODY "\"text\":5}", "text"},
        {BODY "\"text\":{\"format\":5}}", "text.format"},
        {BODY "\"text\":{\"format\":{\"type\":\"json_schema\"}}}", "text.format.schema"},
        {BODY "\"text\":{\"format\":{\"type\":\"json_schema\",\"strict\":1,\"schema\":{}}}}", "text.format.strict"},
        {BODY "\"tools\":[{\"type\":\"function\",\"name\":\"a\",\"parameters\":[]}]}", "tools[0].parameters"},
        {BODY "\"tools\":[{\"name\":\"a\"}]}", "tools[0].type"},
        {BODY "\"metadata\":[]}", "metadata"},
        {BODY "\"include\":\"x\"}", "include"},
        {BODY "\"n\":2}", "n"},
        {BODY "\"logprobs\":true}", "logprobs"},
        {BODY "\"max_completion_tokens\":5}", "max_completion_tokens"},
        {BODY "\"orchestration\":{\"enabled\":true}}", "orchestration"},
        {BODY "\"guided_json\":{\"a\":1}}", "guided_json"},
        {BODY "\"previousResponseId\":\"x\"}", "previousResponseId"},
        {"[]", ""},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_false(read_text(cases[i].text));
        assert_string_equal(err.field, cases[i].param);
    }
}

/* --- The object --- */

static const char *answered(const struct answer *answer) {
    static struct buf out;
    buf_clear(&out);
    buf_init(&out, 1 << 20);
    FORMAT_RESPONSES.whole(answer, &out);
    return buf_cstr(&out);
}

static void assert_has(const char *text, const char *part) {
    if (strstr(text, part) == NULL) {
        fail_msg("%s is not in %s", part, text);
    }
}

static void test_the_object(void **state) {
    const struct gen_tool_call call = {.id = STR("call_1"), .name = STR("f"), .arguments = STR("{\"a\":\"b\"}")};
    struct call_result result = {.finish = GEN_FINISH_STOP,
                                 .usage = {.prompt_tokens = 5, .completion_tokens = 2, .cached_tokens = 3},
                                 .inference_type = "p2p",
                                 .latency_ms = 3000};
    struct answer answer = {.id = "resp_abc",
                            .model = STR("m"),
                            .text = STR("hi"),
                            .created_ms = INT64_C(1767225600999),
                            .result = &result,
                            .kept = true,
                            .echo = STR("\"user\":null")};
    (void)state;
    const char *text = answered(&answer);
    assert_has(text,
               "{\"id\":\"resp_abc\",\"object\":\"response\",\"created_at\":1767225600,\"status\":\"completed\","
               "\"completed_at\":1767225603,\"error\":null,\"incomplete_details\":null,\"model\":\"m\","
               "\"output\":[{\"id\":\"msg_abc000\",\"type\":\"message\",\"status\":\"completed\","
               "\"role\":\"assistant\",\"content\":[{\"type\":\"output_text\",\"annotations\":[],"
               "\"logprobs\":[],\"text\":\"hi\"}]}],\"usage\":{\"input_tokens\":5,"
               "\"input_tokens_details\":{\"cached_tokens\":3},\"output_tokens\":2,"
               "\"output_tokens_details\":{\"reasoning_tokens\":0},\"total_tokens\":7},\"store\":true,\"user\":null,"
               "\"nataris\":{");
    answer.calls = &call;
    answer.call_count = 1;
    answer.text = STR("");
    result.finish = GEN_FINISH_LENGTH;
    text = answered(&answer);
    assert_has(text, "\"status\":\"incomplete\",\"completed_at\":null,\"error\":null,"
                     "\"incomplete_details\":{\"reason\":\"max_output_tokens\"}");
    assert_has(text, "\"output\":[{\"id\":\"fc_abc000\",\"type\":\"function_call\",\"status\":\"incomplete\","
                     "\"call_id\":\"call_1\",\"name\":\"f\",\"arguments\":\"{\\\"a\\\":\\\"b\\\"}\"}],");
    answer.call_count = 0;
    assert_has(answered(&answer), "\"status\":\"incomplete\",\"role\":\"assistant\"");
}

/* What it repeats is JSON, and no more than so much. */
static void test_the_echo(void **state) {
    struct json_parser *parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    struct json_value root, value, item;
    struct str text;
    struct buf body;
    (void)state;
    buf_init(&body, LIMIT_HTTP_BODY_BYTES);
    for (size_t longest = 10; longest < 2 * RESPONSES_ECHO_BYTES; longest *= 20) {
        buf_reset(&body);
        buf_append_cstr(&body, "{\"model\":\"m\",\"input\":\"p\",\"metadata\":{\"k\":\"v\"},\"reasoning\":{\"effort\":"
                               "\"high\"},\"tools\":[{\"type\":\"x\",\"y\":1},{\"type\":\"function\",\"name\":\"f\","
                               "\"description\":\"");
        for (size_t i = 0; i < longest; i++) {
            buf_append_cstr(&body, "d");
        }
        buf_append_cstr(&body, "\"}],\"instructions\":\"");
        for (size_t i = 0; i < longest; i++) {
            buf_append_cstr(&body, "i");
        }
        buf_append_cstr(&body, "\"}");
        assert_true(read_str(buf_str(&body)));
        struct buf object;
        buf_init(&object, LIMIT_HTTP_BODY_BYTES);
        buf_append_cstr(&object, "{");
        buf_append_str(&object, input.echo);
        buf_append_cstr(&object, "}");
        assert_true(json_parse(parser, buf_str(&object), &root, &err));
        const bool fits = longest < RESPONSES_ECHO_BYTES;
        assert_true(json_get(root, "instructions", &value));
        assert_int_equal(json_type_of(value), fits ? JSON_STRING : JSON_NULL);
        assert_true(json_get(root, "tools", &value));
        assert_int_equal(json_count(value), fits ? 2 : 0);
        assert_true(json_get(root, "metadata", &value) && json_get(value, "k", &item) && json_as_str(item, &text));
        assert_true(json_get(root, "reasoning", &value) && json_get(value, "summary", &item));
        assert_int_equal(json_type_of(item), JSON_NULL);
        assert_true(json_get(root, "text", &value) && json_get(value, "format", &item));
        assert_true(json_get(root, "tool_choice", &value) && json_as_str(value, &text));
        assert_true(str_equal(text, STR("auto")));
        buf_clear(&object);
    }
    buf_clear(&body);
    json_parser_free(parser);
}

static int setup(void **state) {
    (void)state;
    arena_init(&arena, ARENA_BYTES);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_clear(&arena);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_open_history), cmocka_unit_test(test_a_text),     cmocka_unit_test(test_options),
        cmocka_unit_test(test_items),           cmocka_unit_test(test_tools),      cmocka_unit_test(test_formats),
        cmocka_unit_test(test_refused),         cmocka_unit_test(test_the_object), cmocka_unit_test(test_the_echo),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
