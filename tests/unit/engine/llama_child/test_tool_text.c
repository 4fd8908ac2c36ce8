/* Which tool calls and results a template forgets. */
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

static void test_without_room(void **state) {
    struct arena small;
    size_t count;
    (void)state;
    for (size_t room = 0; room < 512; room += 64) {
        arena_init(&small, room);
        assert_null(tool_text_trial(TALK, COUNT_OF(TALK), MARK, &small, &count));
        arena_clear(&small);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_tools_need_it),
        cmocka_unit_test(test_what_a_template_forgets_is_seen),
        cmocka_unit_test(test_without_room),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
