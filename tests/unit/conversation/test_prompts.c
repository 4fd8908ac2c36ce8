#include "conversation/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void assert_title(const char *text, const char *expected) {
    char out[PROMPT_TITLE_SIZE];
    assert_true(prompt_title_clean(str_from(text), out));
    assert_string_equal(out, expected);
}

static void test_what_small_models_write_becomes_a_title(void **state) {
    (void)state;
    assert_title("Sea and sand", "Sea and sand");
    assert_title("\n\n  \"Sea and sand.\"\nIt is about the sea.", "Sea and sand");
    assert_title("Title: **Sea and sand**", "Sea and sand");
    assert_title("# title: Sea\tand  \x01 sand", "Sea and sand");
    assert_title("---\n7", "7");
    assert_title("\xe6\xb5\xb7\xe3\x81\xa8\xe7\xa0\x82", "\xe6\xb5\xb7\xe3\x81\xa8\xe7\xa0\x82");
    assert_title("bad \xff byte", "bad byte");
}

static void test_what_says_nothing_is_none(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n\n", "...", "\"\"", "Title:", "**\n--\n##"};
    char out[PROMPT_TITLE_SIZE];
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        assert_false(prompt_title_clean(str_from(texts[i]), out));
    }
}

static void test_a_title_has_at_most_eighty_characters(void **state) {
    (void)state;
    char text[1024], out[PROMPT_TITLE_SIZE];
    memset(text, 'a', sizeof(text));
    assert_true(prompt_title_clean((struct str){text, sizeof(text)}, out));
    assert_int_equal(strlen(out), PROMPT_TITLE_CHARS);
    for (size_t i = 0; i + 1 < sizeof(text); i += 2) {
        memcpy(text + i, "b ", 2);
    }
    assert_true(prompt_title_clean((struct str){text, sizeof(text)}, out));
    assert_true(strlen(out) <= PROMPT_TITLE_CHARS);
    for (size_t i = 0; i + 4 <= sizeof(text); i += 4) {
        memcpy(text + i, "\xf0\x9f\x98\x80", 4);
    }
    assert_true(prompt_title_clean((struct str){text, sizeof(text)}, out));
    assert_true(strlen(out) < PROMPT_TITLE_SIZE);
    assert_int_equal(strlen(out) % 4, 0); /* whole characters */
}

static void test_first_words(void **state) {
    (void)state;
    char out[PROMPT_TITLE_SIZE];
    assert_true(prompt_title_words(STR("one two\nthree four five six seven eight nine ten"), out));
    assert_string_equal(out, "one two three four five six seven eight");
    assert_false(prompt_title_words(STR(" ?! "), out));
}

static void test_messages_are_cut_between_characters(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    prompt_append_message(&out, false, STR("a\xc3\xa4"), 2);
    prompt_append_message(&out, true, STR("yes"), 10);
    assert_string_equal(buf_cstr(&out), "User: a\nAssistant: yes\n");
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_small_models_write_becomes_a_title),
        cmocka_unit_test(test_what_says_nothing_is_none),
        cmocka_unit_test(test_a_title_has_at_most_eighty_characters),
        cmocka_unit_test(test_first_words),
        cmocka_unit_test(test_messages_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
