#include "call/said.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const struct str NAMES[] = {STR("weather"), STR("now")};
static const struct call_tools TOOLS = {.names = {NAMES, COUNT_OF(NAMES)}};

static void assert_text(struct str text, const char *expected) {
    assert_int_equal(text.len, strlen(expected));
    assert_memory_equal(text.data, expected, text.len);
}

static void test_text_and_calls(void **state) {
    size_t count;
    (void)state;
    struct said *said =
        said_read(&TOOLS, "chatcmpl-0VcUmfqjohfoYPHE1wbhjmB2",
                  STR("One moment.\n<tool_call>{\"name\":\"weather\",\"arguments\":{\"city\":\"Paris\"}}"
                      "</tool_call>\n<tool_call>{\"name\":\"now\",\"arguments\":{}}</tool_call>"));
    const struct gen_tool_call *calls = said_calls(said, &count);
    assert_int_equal(count, 2);
    assert_text(said_text(said), "One moment.");
    assert_text(calls[0].name, "weather");
    assert_text(calls[0].arguments, "{\"city\":\"Paris\"}");
    assert_text(calls[1].name, "now");
    assert_text(calls[1].arguments, "{}");
    assert_false(str_equal(calls[0].id, calls[1].id));
    said_free(said);
    said_free(NULL);
}

/* The same whoever asks, of letters and digits, and short enough for those who store it. */
static void test_ids_follow_from_the_answers(void **state) {
    char first[SAID_ID_SIZE], again[SAID_ID_SIZE], second[SAID_ID_SIZE], other[SAID_ID_SIZE];
    (void)state;
    said_call_id("chatcmpl-0VcUmfqjohfoYPHE1wbhjmB2", 0, first);
    said_call_id("chatcmpl-0VcUmfqjohfoYPHE1wbhjmB2", 0, again);
    said_call_id("chatcmpl-0VcUmfqjohfoYPHE1wbhjmB2", 127, second);
    said_call_id("chatcmpl-0VcUmfqjohfoYPHE1wbhjmB3", 0, other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, second);
    assert_string_not_equal(first, other);
    assert_int_equal(strspn(first + 5, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"),
                     strlen(first) - 5);
    assert_true(strncmp(first, "call_", 5) == 0 && strlen(first) <= 40);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_and_calls),
        cmocka_unit_test(test_ids_follow_from_the_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
