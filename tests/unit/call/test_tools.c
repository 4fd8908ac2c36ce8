#include "call/tools.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct call_tool ITEMS[] = {
    {STR("weather"), STR("Says \"how\" it is"), STR("{\"type\":\"object\"}")},
    {STR("now"), STR(""), STR("")},
};
static const struct str NAMES[] = {STR("weather"), STR("now")};
static const struct call_tools TOOLS = {
    .items = ITEMS, .count = COUNT_OF(ITEMS), .names = {NAMES, COUNT_OF(NAMES)}, .one_call = true};

static bool contains(struct str text, const char *part) {
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static void assert_told(struct str text) {
    assert_true(contains(text,
                         "{\"type\":\"function\",\"function\":{\"name\":\"weather\",\"description\":\"Says \\\"how\\\" "
                         "it is\",\"parameters\":{\"type\":\"object\"}}}"));
    assert_true(contains(text, "\"name\":\"now\""));
    assert_true(contains(text, "<tool_call>"));
}

static void test_in_a_system_text_of_its_own(void **state) {
    const struct gen_message user = {.role = GEN_ROLE_USER, .content = STR("Hi"), .tool_call_id = STR("")};
    struct gen_request request = {.messages = &user, .message_count = 1};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_true(tools_tell(&TOOLS, &arena, &request));
    assert_int_equal(request.message_count, 2);
    assert_int_equal(request.messages[0].role, GEN_ROLE_SYSTEM);
    assert_told(request.messages[0].content);
    assert_true(str_equal(request.messages[1].content, STR("Hi")));
    arena_clear(&arena);
}

static void test_behind_the_clients_system_text(void **state) {
    const struct gen_message messages[] = {
        {.role = GEN_ROLE_SYSTEM, .content = STR("Speak like a pirate."), .tool_call_id = STR("")},
        {.role = GEN_ROLE_USER, .content = STR("Hi"), .tool_call_id = STR("")}};
    struct gen_request request = {.messages = messages, .message_count = 2};
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_true(tools_tell(&TOOLS, &arena, &request));
    assert_int_equal(request.message_count, 2);
    assert_true(str_starts_with(request.messages[0].content, STR("Speak like a pirate.\n\n# Tools")));
    assert_told(request.messages[0].content);
    assert_true(str_equal(messages[0].content, STR("Speak like a pirate."))); /* the client's own is as it was */
    arena_clear(&arena);
}

static void test_without_room(void **state) {
    const struct gen_message user = {.role = GEN_ROLE_USER, .content = STR("Hi"), .tool_call_id = STR("")};
    struct gen_request request = {.messages = &user, .message_count = 1};
    const struct call_tools *copy;
    struct arena arena;
    (void)state;
    arena_init(&arena, 64);
    assert_false(tools_tell(&TOOLS, &arena, &request));
    assert_false(tools_copy_names(&arena, &TOOLS, &copy));
    arena_clear(&arena);
}

static void test_names_outlive_the_request(void **state) {
    const struct call_tools *copy;
    struct arena arena;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_true(tools_copy_names(&arena, &TOOLS, &copy));
    assert_int_equal(copy->names.count, 2);
    assert_true(str_equal(copy->names.items[1], STR("now")) && copy->names.items[1].data != NAMES[1].data);
    assert_true(copy->one_call);
    assert_true(tools_copy_names(&arena, NULL, &copy));
    assert_null(copy);
    arena_clear(&arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_in_a_system_text_of_its_own),
        cmocka_unit_test(test_behind_the_clients_system_text),
        cmocka_unit_test(test_without_room),
        cmocka_unit_test(test_names_outlive_the_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
