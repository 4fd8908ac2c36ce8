/* Messages in plainer shapes, and what a template forgets of them. */
#include "engine/llama_child/plain.h"

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

static void assert_plain(enum plain_shape shape, const struct gen_message *messages, size_t count,
                         const char *expected) {
    struct buf text;
    size_t plain_count;
    const struct gen_message *plain = plain_make(shape, messages, count, &arena, &plain_count);
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
    assert_plain(PLAIN_TOOLS, TALK, COUNT_OF(TALK),
                 "system: Be brief.|user: Weather and time?|"
                 "assistant: I look.\n\nCalled weather with {\"city\":\"K\xc3\xb6ln\"}\n\nCalled time with {}|"
                 "user: Result of weather: sunny\n\nResult of time: noon\n\nAnd now?|");
    assert_plain(PLAIN_TOOLS, TALK + 1, 1, "user: Weather and time?|");
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
    assert_plain(PLAIN_TOOLS, messages, COUNT_OF(messages),
                 "user: Result: early\n\na|user: b|assistant: Called weather with {\"city\":\"K\xc3\xb6ln\"}|"
                 "user: Result of weather: one\n\nResult: two\n\nResult: |assistant: so\n\nCalled time with {}|"
                 "system: s|user: c\n\nResult: late|");
}

#define SYSTEM(text)                                                                                                   \
    { .role = GEN_ROLE_SYSTEM, .content = STR(text) }
#define USER(text)                                                                                                     \
    { .role = GEN_ROLE_USER, .content = STR(text) }
#define ASSISTANT(text)                                                                                                \
    { .role = GEN_ROLE_ASSISTANT, .content = STR(text) }

static void test_in_turns(void **state) {
    static const struct gen_message messages[] = {
        SYSTEM("s1"), SYSTEM("s2"), USER("a"), USER("b"), ASSISTANT("c"), ASSISTANT("d"), SYSTEM("s3"), USER("e"),
    };
    static const struct gen_message odd[] = {ASSISTANT("c"), SYSTEM("s")};
    (void)state;
    assert_plain(PLAIN_TOOLS, messages, COUNT_OF(messages),
                 "system: s1|system: s2|user: a|user: b|assistant: c|assistant: d|system: s3|user: e|");
    assert_plain(PLAIN_ONE_SYSTEM, messages, COUNT_OF(messages),
                 "system: s1\n\ns2|user: a\n\nb|assistant: c\n\nd|user: s3\n\ne|");
    assert_plain(PLAIN_NO_SYSTEM, messages, COUNT_OF(messages),
                 "user: s1\n\ns2\n\na\n\nb|assistant: c\n\nd|user: s3\n\ne|");
    assert_plain(PLAIN_NO_SYSTEM, messages, 1, "user: s1|");
    assert_plain(PLAIN_ONE_SYSTEM, odd, COUNT_OF(odd), "user: |assistant: c|user: s|");
    assert_plain(PLAIN_NO_SYSTEM, TALK, COUNT_OF(TALK),
                 "user: Be brief.\n\nWeather and time?|"
                 "assistant: I look.\n\nCalled weather with {\"city\":\"K\xc3\xb6ln\"}\n\nCalled time with {}|"
                 "user: Result of weather: sunny\n\nResult of time: noon\n\nAnd now?|");
}

static void test_what_is_lost_is_seen(void **state) {
    static const struct gen_message messages[] = {SYSTEM(" be brief\n"), USER("one"), ASSISTANT("two"), USER("one"),
                                                  USER("  ")};
    const size_t count = COUNT_OF(messages);
    (void)state;
    assert_true(plain_is_whole(messages, count, STR("<be brief><one><two><one><>")));
    assert_true(plain_is_whole(messages, count, STR("<be brief><one><one>"))); /* the assistant's own is not needed */
    assert_true(plain_is_whole(messages, count, STR("<one><two>be brief<one>"))); /* moved to the last turn */
    assert_false(plain_is_whole(messages, count, STR("<one><two><one>")));
    assert_false(plain_is_whole(messages, count, STR("<be brief><two>")));
    assert_false(plain_is_whole(messages, count, STR("")));
    assert_true(plain_is_whole(messages, 0, STR("")));
}

static void test_without_room(void **state) {
    struct arena small;
    size_t count;
    (void)state;
    for (size_t room = 0; room < 512; room += 64) {
        arena_init(&small, room);
        assert_null(plain_make(PLAIN_TOOLS, TALK, COUNT_OF(TALK), &small, &count));
        arena_clear(&small);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_words),  cmocka_unit_test(test_odd_histories),
        cmocka_unit_test(test_in_turns),     cmocka_unit_test(test_what_is_lost_is_seen),
        cmocka_unit_test(test_without_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
