/* The messages of a chat request: what is taken, and what is refused with which param. */
#include "support/request_reader.h"

static void test_bad_bodies(void **state) {
    static const struct refusal refusals[] = {
        {"[]", "", "must be a JSON object, not an array."},
        {"\"text\"", "", NULL},
        {"null", "", NULL},
        {"{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}]}", "model", "model is required"},
        {"{\"model\":null,\"messages\":[]}", "model", "required"},
        {"{\"model\":\"\",\"messages\":[]}", "model", "required"},
        {"{\"model\":5,\"messages\":[]}", "model", "must be a string, not a number."},
        {"{\"model\":\"m\"}", "messages", "messages is required."},
        {"{\"model\":\"m\",\"messages\":[]}", "messages", "1 to 2048"},
        {"{\"model\":\"m\",\"messages\":\"hi\"}", "messages", "must be an array"},
        {"{\"model\":\"m\",\"messages\":{\"role\":\"user\"}}", "messages", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, reader_read(*state, str_from(refusals[i].text)), &refusals[i]);
    }
}

static void test_bad_messages(void **state) {
#define USER "{\"role\":\"user\",\"content\":\"a\"},"
#define CALL "{\"id\":\"c\",\"type\":\"function\",\"function\":{\"name\":\"f\",\"arguments\":\"{}\"}}"
    static const struct refusal refusals[] = {
        {"[5]", "messages[0]", "must be an object, not a number."},
        {"[" USER "null]", "messages[1]", NULL},
        {"[{\"content\":\"a\"}]", "messages[0].role", "required"},
        {"[{\"role\":null,\"content\":\"a\"}]", "messages[0].role", "required"},
        {"[{\"role\":7,\"content\":\"a\"}]", "messages[0].role", "must be a string"},
        {"[" USER USER "{\"role\":\"wizard\",\"content\":\"a\"}]", "messages[2].role",
         "must be one of system, developer, user, assistant, tool, function."},
        {"[{\"role\":\"User\",\"content\":\"a\"}]", "messages[0].role", NULL},
        {"[{\"role\":\"user\"}]", "messages[0].content", "required"},
        {"[{\"role\":\"user\",\"content\":null}]", "messages[0].content", "required"},
        {"[{\"role\":\"assistant\",\"content\":null}]", "messages[0].content", NULL},
        {"[{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[]}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":null,\"tool_calls\":[" CALL "]}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":5}]", "messages[0].content", "a string or an array of parts"},
        {"[{\"role\":\"user\",\"content\":{}}]", "messages[0].content", NULL},
        {"[{\"role\":\"user\",\"content\":[\"a\"]}]", "messages[0].content[0]", NULL},
        {"[{\"role\":\"user\",\"content\":[{}]}]", "messages[0].content[0].type", "required"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":1}]}]", "messages[0].content[0].type", NULL},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]", "messages[0].content[0].text", "required"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":5}]}]", "messages[0].content[0].text", NULL},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\"},{\"type\":\"image_url\"}]}]",
         "messages[0].content[1].type", "image_url is not supported yet"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"input_audio\"}]}]", "messages[0].content[0].type",
         "input_audio"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"my secret\"}]}]", "messages[0].content[0].type",
         "must be \"text\"."},
        {"[{\"role\":\"user\",\"content\":\"a\",\"name\":5}]", "messages[0].name", NULL},
        {"[{\"role\":\"tool\",\"content\":\"a\"}]", "messages[0].tool_call_id", "required"},
        {"[{\"role\":\"tool\",\"content\":\"a\",\"tool_call_id\":\"\"}]", "messages[0].tool_call_id", NULL},
        {"[{\"role\":\"tool\",\"content\":\"a\",\"tool_call_id\":5}]", "messages[0].tool_call_id", NULL},
        {"[{\"role\":\"function\",\"content\":\"a\"}]", "messages[0].name", "required"},
        {"[{\"role\":\"user\",\"content\":[{\"type\":\"refusal\",\"refusal\":\"no\"}]}]", "messages[0].content[0].type",
         "not supported yet"},
        {"[{\"role\":\"assistant\",\"content\":null,\"refusal\":\"\"}]", "messages[0].content", "required"},
        {"[{\"role\":\"assistant\",\"content\":\"a\",\"audio\":{\"id\":\"x\"}}]", "messages[0].audio",
         "not supported yet"},
        {"[" USER "{\"role\":\"assistant\",\"content\":\"a\",\"prefix\":true}]", "messages[1].prefix",
         "not supported yet"},
        {"[{\"role\":\"user\",\"content\":\"a\",\"images\":[\"x\"]}]", "messages[0].images", "not supported yet"},
        {"[{\"role\":\"assistant\",\"function_call\":{\"name\":\"f\"}}]", "messages[0].function_call.arguments",
         "required"},
        {"[{\"role\":\"assistant\",\"function_call\":\"f\"}]", "messages[0].function_call", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":{}}]", "messages[0].tool_calls", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[5]}]", "messages[0].tool_calls[0]", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[" CALL ",{\"id\":\"c\"}]}]", "messages[0].tool_calls[1].function",
         NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":\"\"}}]}]",
         "messages[0].tool_calls[0].id", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"arguments\":\"\"}}]}]",
         "messages[0].tool_calls[0].function.name", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"function\":{\"name\":\"f\",\"arguments\":{}}}]}]",
         "messages[0].tool_calls[0].function.arguments", NULL},
        {"[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"c\",\"type\":\"x\",\"function\":{}}]}]",
         "messages[0].tool_calls[0].type", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        assert_refused(*state, reader_read_messages(*state, refusals[i].text), &refusals[i]);
    }
}

static void test_messages_taken(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_messages(
        reader,
        "[{\"role\":\"developer\",\"content\":\"d\"},{\"role\":\"system\",\"content\":\"s\"},"
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"one \"},{\"type\":\"text\",\"text\":\"\"},"
        "{\"type\":\"text\",\"text\":\"two\"}],\"name\":\"ada\"},"
        "{\"role\":\"assistant\",\"content\":null,\"tool_calls\":[" CALL "]},"
        "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"content\":\"42\"},"
        "{\"role\":\"assistant\",\"content\":\"\"},{\"role\":\"user\",\"content\":\"\"}]"));
    const struct gen_message *messages = reader->input.request.messages;
    assert_int_equal(reader->input.request.message_count, 7);
    assert_int_equal(messages[0].role, GEN_ROLE_SYSTEM);
    assert_int_equal(messages[1].role, GEN_ROLE_SYSTEM);
    assert_str_equal(messages[2].content, "one two");
    assert_int_equal(messages[3].tool_call_count, 1);
    assert_str_equal(messages[3].content, "");
    assert_str_equal(messages[3].tool_calls[0].name, "f");
    assert_str_equal(messages[3].tool_calls[0].arguments, "{}");
    assert_int_equal(messages[4].role, GEN_ROLE_TOOL);
    assert_str_equal(messages[4].tool_call_id, "c");
    assert_str_equal(messages[6].content, "");
}

/* An answer goes back into the history as an SDK gave it, with all that is empty in it. */
static void test_an_answer_as_it_came(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_messages(
        reader, "[{\"role\":\"assistant\",\"content\":\"a\",\"refusal\":null,\"annotations\":[],\"audio\":null,"
                "\"function_call\":null,\"tool_calls\":null,\"reasoning_content\":null,\"name\":null},"
                "{\"role\":\"assistant\",\"content\":\"b\",\"tool_calls\":[]},"
                "{\"role\":\"assistant\",\"content\":null,\"refusal\":\"I will not.\"},"
                "{\"role\":\"assistant\",\"content\":[{\"type\":\"text\",\"text\":\"No: \"},"
                "{\"type\":\"refusal\",\"refusal\":\"never.\"}]},"
                "{\"role\":\"user\",\"content\":[]}]"));
    const struct gen_message *messages = reader->input.request.messages;
    assert_str_equal(messages[0].content, "a");
    assert_int_equal(messages[0].tool_call_count, 0);
    assert_str_equal(messages[2].content, "I will not.");
    assert_str_equal(messages[3].content, "No: never.");
    assert_str_equal(messages[4].content, "");
    assert_int_equal(reader->input.ignored.len, 0);
}

static void test_the_older_form_of_calls(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_messages(
        reader, "[{\"role\":\"assistant\",\"content\":null,\"function_call\":{\"name\":\"weather\","
                "\"arguments\":\"{}\"}},{\"role\":\"function\",\"name\":\"weather\",\"content\":\"sunny\"}]"));
    const struct gen_message *messages = reader->input.request.messages;
    assert_int_equal(messages[0].tool_call_count, 1);
    assert_str_equal(messages[0].tool_calls[0].id, "weather");
    assert_str_equal(messages[0].tool_calls[0].name, "weather");
    assert_int_equal(messages[1].role, GEN_ROLE_TOOL);
    assert_str_equal(messages[1].tool_call_id, "weather");
    assert_int_equal(reader->input.ignored.len, 0);
}

static void test_members_without_effect_are_named(void **state) {
    struct request_reader *reader = *state;
    assert_true(reader_read_messages(
        reader, "[{\"role\":\"user\",\"content\":\"a\",\"name\":\"ada\",\"tool_call_id\":\"x\"},"
                "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"a\",\"cache_control\":{\"type\":\"x\"},"
                "\"annotations\":[]}],\"name\":\"bob\"},"
                "{\"role\":\"assistant\",\"content\":\"b\",\"reasoning_content\":\"hm\"},"
                "{\"role\":\"tool\",\"tool_call_id\":\"c\",\"name\":\"f\",\"content\":\"42\"}]"));
    assert_str_equal(reader->input.ignored, "\"ignored\":[\"messages[].name\",\"messages[].tool_call_id\","
                                            "\"messages[].content[].cache_control\",\"messages[].reasoning_content\"]");
}

/* `count` times `item`, separated by commas. */
static void append_repeated(struct buf *text, const char *item, size_t count) {
    for (size_t i = 0; i < count; i++) {
        buf_append_cstr(text, i > 0 ? "," : "");
        buf_append_cstr(text, item);
    }
}

static bool read_repeated(struct request_reader *reader, const char *before, const char *item, size_t count,
                          const char *after) {
    struct buf text;
    buf_init(&text, LIMIT_HTTP_BODY_BYTES);
    buf_append_cstr(&text, before);
    append_repeated(&text, item, count);
    buf_append_cstr(&text, after);
    assert_false(text.overflow);
    bool read = reader_read(reader, buf_str(&text));
    buf_clear(&text);
    return read;
}

static void test_counts_at_their_limits(void **state) {
    static const char user[] = "{\"role\":\"user\",\"content\":\"a\"}", part[] = "{\"type\":\"text\",\"text\":\"a\"}";
    static const struct {
        const char *before, *item, *after, *param;
        size_t limit;
    } cases[] = {
        {"{\"model\":\"m\",\"messages\":[", user, "]}", "messages", LIMIT_MESSAGES},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"user\",\"content\":[", part, "]}]}", "messages[0].content",
         LIMIT_CONTENT_PARTS},
        {"{\"model\":\"m\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[", CALL, "]}]}",
         "messages[0].tool_calls", LIMIT_TOOL_CALLS},
    };
    struct request_reader *reader = *state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_true(read_repeated(reader, cases[i].before, cases[i].item, cases[i].limit, cases[i].after));
        assert_false(read_repeated(reader, cases[i].before, cases[i].item, cases[i].limit + 1, cases[i].after));
        assert_string_equal(reader->err.field, cases[i].param);
    }
}

static void test_full_arena_is_an_error(void **state) {
    struct request_reader *reader = *state;
    struct json_value body;
    struct str text =
        STR("{\"model\":\"m\",\"stop\":\"x\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\","
            "\"text\":\"a long enough text\"}]}]}");
    for (size_t limit = 0; limit < 400; limit += 16) {
        struct arena arena;
        arena_init(&arena, limit);
        assert_true(json_parse(reader->parser, text, &body, &reader->err));
        bool read = chat_read(body, &arena, &reader->input, &reader->err);
        assert_true(read ? limit > 64 : reader->err.code == ERR_TOO_LARGE);
        arena_clear(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bad_bodies),
        cmocka_unit_test(test_bad_messages),
        cmocka_unit_test(test_messages_taken),
        cmocka_unit_test(test_an_answer_as_it_came),
        cmocka_unit_test(test_the_older_form_of_calls),
        cmocka_unit_test(test_members_without_effect_are_named),
        cmocka_unit_test(test_counts_at_their_limits),
        cmocka_unit_test(test_full_arena_is_an_error),
    };
    return cmocka_run_group_tests(tests, reader_setup, reader_teardown);
}
