/* Items become messages: what belongs together is one. */
#include "format/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static struct arena arena;
static struct gen_request request;
static struct err err;

static const struct gen_tool_call first_call = {.id = STR("call_1"), .name = STR("a"), .arguments = STR("{}")};
static const struct gen_tool_call second_call = {.id = STR("call_2"), .name = STR("b"), .arguments = STR("{}")};

static struct history_item said(enum gen_role role, struct str text) {
    return (struct history_item){.message = {.role = role, .content = text, .tool_call_id = STR("")}, .id = STR("")};
}

static struct history_item called(const struct gen_tool_call *call) {
    struct history_item item = said(GEN_ROLE_ASSISTANT, STR(""));
    item.message.tool_calls = call;
    item.message.tool_call_count = 1;
    return item;
}

static void test_calls_join_what_was_said(void **state) {
    const struct history_item items[] = {said(GEN_ROLE_USER, STR("hi")),
                                         said(GEN_ROLE_ASSISTANT, STR("let me see")),
                                         called(&first_call),
                                         called(&second_call),
                                         said(GEN_ROLE_TOOL, STR("1")),
                                         called(&first_call),
                                         said(GEN_ROLE_ASSISTANT, STR("done"))};
    (void)state;
    arena_init(&arena, 4096);
    assert_true(history_join(STR("be brief"), items, COUNT_OF(items), &arena, &request, &err));
    assert_int_equal(request.message_count, 6);
    const struct gen_message *messages = request.messages;
    assert_int_equal(messages[0].role, GEN_ROLE_SYSTEM);
    assert_true(str_equal(messages[0].content, STR("be brief")));
    assert_true(str_equal(messages[2].content, STR("let me see")));
    assert_int_equal(messages[2].tool_call_count, 2);
    assert_true(str_equal(messages[2].tool_calls[0].id, STR("call_1")));
    assert_true(str_equal(messages[2].tool_calls[1].id, STR("call_2")));
    assert_int_equal(messages[3].role, GEN_ROLE_TOOL);
    assert_int_equal(messages[4].tool_call_count, 1);
    assert_int_equal(messages[5].tool_call_count, 0);
    assert_true(str_equal(messages[5].content, STR("done")));
    arena_clear(&arena);
}

static void test_nothing_but_items(void **state) {
    const struct history_item items[] = {called(&first_call), called(&second_call)};
    (void)state;
    arena_init(&arena, 4096);
    assert_true(history_join(STR(""), items, COUNT_OF(items), &arena, &request, &err));
    assert_int_equal(request.message_count, 1);
    assert_int_equal(request.messages[0].tool_call_count, 2);
    arena_clear(&arena);
}

/* Wherever the room ends. */
static void test_an_arena_without_room(void **state) {
    const struct history_item items[] = {called(&first_call), called(&second_call)};
    bool fits = false;
    (void)state;
    for (size_t room = 0; !fits; room += 16) {
        assert_true(room < 4096);
        arena_init(&arena, room);
        fits = history_join(STR("x"), items, COUNT_OF(items), &arena, &request, &err);
        assert_true(fits || err.code == ERR_TOO_LARGE);
        assert_true(!fits || room > 0);
        arena_clear(&arena);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls_join_what_was_said),
        cmocka_unit_test(test_nothing_but_items),
        cmocka_unit_test(test_an_arena_without_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
