/* Tool calls and their results as templates have them, and in plain words. */
#include "engine/llama_child/tool_text.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;

static int setup(void **state) {
    (void)state;
    arena_init(&arena, 1 << 20);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    arena_clear(&arena);
    return 0;
}

static const struct gen_tool_call CALLS[] = {
    {STR("c1"), STR("weather"), STR("{\"city\":\"K\xc3\xb6ln\"}")},
    {STR("c2"), STR("time"), STR("{}")},
};

static const struct gen_message TALK[] = {
    {.role = GEN_ROLE_SYSTEM, .content = STR("Be brief.")},
    {.role = GEN_ROLE_USER, .content = STR("Weather and time?")},
    {.role = GEN_ROLE_ASSISTANT, .content = STR("I look."), .tool_calls = CALLS, .tool_call_count = 2},
    {.role = GEN_ROLE_TOOL, .content = STR("sunny"), .tool_call_id = STR("c1")},
    {.role = GEN_ROLE_TOOL, .content = STR("noon"), .tool_call_id = STR("c2")},
    {.role = GEN_ROLE_USER, .content = STR("And now?")},
};

static const struct str MARK = STR("MARKMARKMARK");

/* What a template makes of it that says the members given, of all messages. */
static struct str render(const struct gen_message *messages, size_t count, bool calls, bool arguments, bool results) {
    struct buf text;
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < count; i++) {
        if (results || messages[i].role != GEN_ROLE_TOOL) {
            buf_append_str(&text, messages[i].content);
        }
        for (size_t k = 0; calls && k < messages[i].tool_call_count; k++) {
            buf_append_str(&text, messages[i].tool_calls[k].name);
            buf_append_str(&text, arguments ? messages[i].tool_calls[k].arguments : STR(""));
        }
    }
    const struct str copy = arena_copy(&arena, buf_str(&text));
    buf_clear(&text);
    return copy;
}

static void test_only_tools_need_it(void **state) {
    (void)state;
    assert_false(tool_text_is_needed(TALK, 2));
    assert_true(tool_text_is_needed(TALK, 3));
    assert_true(tool_text_is_needed(TALK + 3, 1));
}

static void test_what_a_template_forgets_is_seen(void **state) {
    size_t words;
    (void)state;
    const struct gen_message *trial = tool_text_trial(TALK, COUNT_OF(TALK), MARK, &arena, &words);
    assert_int_equal(words, 7); /* three contents, two names, two arguments */
    assert_true(str_equal(trial[1].content, TALK[1].content));
    assert_true(tool_text_is_whole(render(trial, COUNT_OF(TALK), true, true, true), MARK, words, &arena));
    assert_false(tool_text_is_whole(render(trial, COUNT_OF(TALK), false, true, true), MARK, words, &arena));
    assert_false(tool_text_is_whole(render(trial, COUNT_OF(TALK), true, false, true), MARK, words, &arena));
    assert_false(tool_text_is_whole(render(trial, COUNT_OF(TALK), true, true, false), MARK, words, &arena));
    assert_false(tool_text_is_whole(STR(""), MARK, words, &arena));
    assert_false(tool_text_is_whole(STR("MARKMARKMARK0zMARKMARKMARK0zMARKMARKMARK9z"), MARK, 2, &arena));
}

static void assert_plain(const struct gen_message *messages, size_t count, const char *expected) {
    struct buf text;
    size_t plain_count;
    const struct gen_message *plain = tool_text_plain(messages, count, &arena, &plain_count);
    assert_non_null(plain);
    buf_init(&text, 1 << 16);
    for (size_t i = 0; i < plain_count; i++) {
        assert_int_equal(plain[i].tool_call_count, 0);
        buf_append_format(&text, "%s: %.*s|", gen_role_name(plain[i].role), STR_ARG(plain[i].content));
    }
    assert_string_equal(buf_cstr(&text), expected);
    buf_clear(&text);
}

static void test_plain_words(void **state) {
    (void)state;
    assert_plain(TALK, COUNT_OF(TALK),
                 "system: Be brief.|user: Weather and time?|"
                 "assistant: I look.\n\nCalled weather with {\"city\":\"K\xc3\xb6ln\"}\n\nCalled time with {}|"
                 "user: Result of weather: sunny\n\nResult of time: noon\n\nAnd now?|");
    assert_plain(TALK + 1, 1, "user: Weather and time?|");
}

/* A result of no call, two of one call, a call that nobody answered, and users who speak twice. */
static void test_odd_histories(void **state) {
    static const struct gen_message messages[] = {
        {.role = GEN_ROLE_TOOL, .content = STR("early"), .tool_call_id = STR("c1")},
        {.role = GEN_ROLE_USER, .content = STR("a")},
        {.role = GEN_ROLE_USER, .content = STR("b")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR(""), .tool_calls = CALLS, .tool_call_count = 1},
        {.role = GEN_ROLE_TOOL, .content = STR("one"), .tool_call_id = STR("c1")},
        {.role = GEN_ROLE_TOOL, .content = STR("two"), .tool_call_id = STR("c1")},
        {.role = GEN_ROLE_TOOL, .content = STR(""), .tool_call_id = STR("c9")},
        {.role = GEN_ROLE_ASSISTANT, .content = STR("so"), .tool_calls = CALLS + 1, .tool_call_count = 1},
        {.role = GEN_ROLE_SYSTEM, .content = STR("s")},
        {.role = GEN_ROLE_USER, .content = STR("c")},
        {.role = GEN_ROLE_TOOL, .content = STR("late"), .tool_call_id = STR("c2")},
    };
    (void)state;
    assert_plain(messages, COUNT_OF(messages),
                 "user: Result: early\n\na|user: b|assistant: Called weather with {\"city\":\"K\xc3\xb6ln\"}|"
                 "user: Result of weather: one\n\nResult: two\n\nResult: |assistant: so\n\nCalled time with {}|"
                 "system: s|user: c\n\nResult: late|");
}

static void test_without_room(void **state) {
    struct arena small;
    size_t count;
    (void)state;
    for (size_t room = 0; room < 512; room += 64) {
        arena_init(&small, room);
        assert_null(tool_text_trial(TALK, COUNT_OF(TALK), MARK, &small, &count));
        assert_null(tool_text_plain(TALK, COUNT_OF(TALK), &small, &count));
        arena_clear(&small);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_tools_need_it), cmocka_unit_test(test_what_a_template_forgets_is_seen),
        cmocka_unit_test(test_plain_words),        cmocka_unit_test(test_odd_histories),
        cmocka_unit_test(test_without_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
