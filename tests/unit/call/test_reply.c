/* What of a model's answer is text and what is a call, however it is cut into pieces. */
#include "call/reply.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct str NAMES[] = {STR("weather"), STR("get_balance")};

/* What was told: text as it is, "[name(", arguments, ")]". */
struct told {
    struct buf text;
    bool in_call;
};

static void close_call(struct told *told) {
    if (told->in_call) {
        buf_append_cstr(&told->text, ")]");
        told->in_call = false;
    }
}

static void on_text(void *context, struct str text) {
    struct told *told = context;
    assert_true(text.len > 0);
    close_call(told);
    buf_append_str(&told->text, text);
}

static void on_call(void *context, size_t index, struct str name) {
    struct told *told = context;
    close_call(told);
    buf_append_format(&told->text, "[%zu %.*s(", index, STR_ARG(name));
    told->in_call = true;
}

static void on_arguments(void *context, size_t index, struct str json) {
    struct told *told = context;
    (void)index;
    assert_true(told->in_call);
    buf_append_str(&told->text, json);
}

/* Reads it in pieces of that many bytes. */
static void assert_reads(const char *raw, size_t piece, bool one_call, const char *expected) {
    struct told told = {0};
    const struct reply_events events = {.context = &told, .text = on_text, .call = on_call, .arguments = on_arguments};
    struct reply reply;
    buf_init(&told.text, 1 << 20);
    reply_init(&reply, (struct reply_names){NAMES, COUNT_OF(NAMES)}, one_call);
    for (size_t at = 0; at < strlen(raw); at += piece) {
        const size_t left = strlen(raw) - at;
        reply_feed(&reply, (struct str){raw + at, left < piece ? left : piece}, &events);
    }
    reply_end(&reply, &events);
    close_call(&told);
    if (strcmp(buf_cstr(&told.text), expected) != 0) {
        fail_msg("in pieces of %zu: %s\n  is read as %s\n  expected   %s", piece, raw, buf_cstr(&told.text), expected);
    }
    reply_clear(&reply);
    buf_clear(&told.text);
}

#define CALL(name, arguments) "<tool_call>\n{\"name\": \"" name "\", \"arguments\": " arguments "}\n</tool_call>"

static const struct {
    const char *raw, *expected;
} answers[] = {
    {"Hello, how are you?", "Hello, how are you?"},
    {"  indented", "  indented"},
    {"", ""},
    {CALL("weather", "{\"city\": \"Paris\"}"), "[0 weather({\"city\": \"Paris\"})]"},
    {CALL("weather", "{}"), "[0 weather({})]"},
    {CALL("weather", "{\"a\": \"}]{\\\"\\\\\"}"), "[0 weather({\"a\": \"}]{\\\"\\\\\"})]"},
    {"Let me look.\n" CALL("weather", "{\"c\": [1, {\"d\": 2}]}"), "Let me look.[0 weather({\"c\": [1, {\"d\": 2}]})]"},
    {CALL("weather", "{\"a\": 1}") "\n" CALL("get_balance", "{\"b\": 2}"),
     "[0 weather({\"a\": 1})][1 get_balance({\"b\": 2})]"},
    /* the end is missing, or half of it */
    {"<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"a\": 1}}", "[0 weather({\"a\": 1})]"},
    {"<tool_call>{\"name\":\"weather\",\"arguments\":{\"a\":1}", "[0 weather({\"a\":1})]"},
    {"<tool_call>{\"name\":\"weather\",\"arguments\":{\"a\":", "[0 weather({\"a\":)]"},
    {"<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"a\": 1}}\n</tool_call>\n", "[0 weather({\"a\": 1})]"},
    /* members in another order, arguments by another name, or as a text */
    {"<tool_call>{\"arguments\":{\"a\":1},\"name\":\"weather\"}</tool_call>", "[0 weather({\"a\":1})]"},
    {"<tool_call>{\"name\":\"weather\",\"parameters\":{\"a\":1}}</tool_call>", "[0 weather({\"a\":1})]"},
    {"<tool_call>{\"name\":\"weather\",\"arguments\":\"{\\\"a\\\":1}\"}</tool_call>", "[0 weather({\"a\":1})]"},
    /* no tool of that name, no JSON, no arguments: text */
    {CALL("rm", "{\"a\": 1}"), CALL("rm", "{\"a\": 1}")},
    {"<tool_call>call the weather</tool_call> now", "<tool_call>call the weather</tool_call> now"},
    {"Look. \n<tool_call>{no}</tool_call>", "Look. \n<tool_call>{no}</tool_call>"},
    {"Look. \n<tool_call>{no", "Look. \n<tool_call>{no"},
    {"<tool_call>{\"name\":\"weather\",\"arguments\":7}</tool_call>",
     "<tool_call>{\"name\":\"weather\",\"arguments\":7}</tool_call>"},
    {"<tool_call>{\"name\":\"weather\"}", "<tool_call>{\"name\":\"weather\"}"},
    {"a <tool_cal is no tag, nor < this", "a <tool_cal is no tag, nor < this"},
    {"ends in <tool_c", "ends in <tool_c"},
    /* nothing but one object, bare or in a fence */
    {"{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}", "[0 weather({\"city\":\"Paris\"})]"},
    {"```json\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Paris\"}}\n```",
     "[0 weather({\"city\":\"Paris\"})]"},
    {"\n```\n{\"name\": \"weather\", \"arguments\": {}}\n```\n", "[0 weather({})]"},
    {"[{\"name\":\"weather\",\"arguments\":{\"a\":1}},{\"name\":\"weather\",\"arguments\":{\"a\":2}}]",
     "[0 weather({\"a\":1})][1 weather({\"a\":2})]"},
    {"{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"arguments\":{\"a\":1}}}", "[0 weather({\"a\":1})]"},
    /* more than that, or something else: text, as it stands */
    {"{\"name\": \"weather\", \"arguments\": {}} is what you send",
     "{\"name\": \"weather\", \"arguments\": {}} is what you send"},
    {"{\"name\": \"Ada\", \"age\": 36}", "{\"name\": \"Ada\", \"age\": 36}"},
    {"```python\nprint(1)\n```", "```python\nprint(1)\n```"},
    {"```json\n{\"a\": 1}\n```", "```json\n{\"a\": 1}\n```"},
    {"[]", "[]"},
    {"`code` first", "`code` first"},
    /* other scripts, and characters that are cut into bytes */
    {"Жду. " CALL("weather", "{\"city\": \"Αθήνα 東京 🌦\"}") "ไทย",
     "Жду.[0 weather({\"city\": \"Αθήνα 東京 🌦\"})]ไทย"},
};

static void test_each_answer_in_pieces_of_any_size(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(answers); i++) {
        for (size_t piece = 1; piece <= 12; piece++) {
            assert_reads(answers[i].raw, piece, false, answers[i].expected);
        }
        assert_reads(answers[i].raw, 4096, false, answers[i].expected);
    }
}

static void test_one_call_alone(void **state) {
    (void)state;
    const char *two = CALL("weather", "{\"a\": 1}") "\n" CALL("weather", "{\"a\": 2}");
    for (size_t piece = 1; piece <= strlen(two); piece++) {
        assert_reads(two, piece, true, "[0 weather({\"a\": 1})]");
    }
    assert_reads("[{\"name\":\"weather\",\"arguments\":{\"a\":1}},{\"name\":\"weather\",\"arguments\":{}}]", 1, true,
                 "[0 weather({\"a\":1})]");
}

/* Text is told as soon as it cannot become a call any more, so that streams flow. */
static void test_text_is_not_held_back(void **state) {
    (void)state;
    struct told told = {0};
    const struct reply_events events = {.context = &told, .text = on_text, .call = on_call, .arguments = on_arguments};
    struct reply reply;
    buf_init(&told.text, 1 << 20);
    reply_init(&reply, (struct reply_names){NAMES, COUNT_OF(NAMES)}, false);
    reply_feed(&reply, STR("Hello"), &events);
    assert_string_equal(buf_cstr(&told.text), "Hello");
    reply_feed(&reply, STR(" <to"), &events);
    assert_string_equal(buf_cstr(&told.text), "Hello");
    reply_feed(&reply, STR("day>"), &events);
    assert_string_equal(buf_cstr(&told.text), "Hello <today>");
    reply_feed(&reply, STR("<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Pa"), &events);
    assert_string_equal(buf_cstr(&told.text), "Hello <today>[0 weather({\"city\":\"Pa");
    reply_end(&reply, &events);
    reply_clear(&reply);
    buf_clear(&told.text);
}

/* Without tools it is told as it comes. */
static void test_without_tools_all_is_text(void **state) {
    (void)state;
    struct told told = {0};
    const struct reply_events events = {.context = &told, .text = on_text, .call = on_call, .arguments = on_arguments};
    struct reply reply;
    buf_init(&told.text, 1 << 20);
    reply_init(&reply, (struct reply_names){0}, false);
    reply_feed(&reply, STR(CALL("weather", "{}")), &events);
    assert_string_equal(buf_cstr(&told.text), CALL("weather", "{}"));
    reply_end(&reply, &events);
    reply_clear(&reply);
    buf_clear(&told.text);
}

/* Blanks, and what begins like a call and goes on for ever, in many small pieces: each is looked at a few times at
 * most. Was it looked at with every later piece, this would take hours. */
static void test_what_never_ends(void **state) {
    static const char *const starts[] = {"",
                                         "<tool_call>",
                                         "<tool_call>{\"name\"",
                                         "<tool_call>{\"name\":\"weather\",\"arguments\":",
                                         "<tool_call>{\"name\":\"weather\",\"arguments\":{\"a\":\"",
                                         "<tool_call>{\"name\":\"weather\",\"arguments\":{}",
                                         "<tool_call>{\"name\":\"weather\",\"arguments\":{}}",
                                         "{",
                                         "```",
                                         "```json\n",
                                         "x <tool_call>x"};
    enum { PIECES = 200 * 1000 };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(starts); i++) {
        struct told told = {0};
        const struct reply_events events = {
            .context = &told, .text = on_text, .call = on_call, .arguments = on_arguments};
        struct reply reply;
        buf_init(&told.text, 1 << 23);
        reply_init(&reply, (struct reply_names){NAMES, COUNT_OF(NAMES)}, false);
        reply_feed(&reply, str_from(starts[i]), &events);
        for (int k = 0; k < PIECES; k++) {
            reply_feed(&reply, STR(" \n"), &events);
        }
        reply_end(&reply, &events);
        assert_true(told.text.len >= 2 * PIECES - 1000);
        reply_clear(&reply);
        buf_clear(&told.text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_answer_in_pieces_of_any_size),
        cmocka_unit_test(test_one_call_alone),
        cmocka_unit_test(test_text_is_not_held_back),
        cmocka_unit_test(test_without_tools_all_is_text),
        cmocka_unit_test(test_what_never_ends),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
