#include "conversation/prompts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_messages_are_cut_between_characters(void **state) {
    (void)state;
    struct buf out;
    buf_init(&out, 1024);
    prompt_append_message(&out, false, STR("a\xc3\xa4"), 2);
    prompt_append_message(&out, true, STR("yes"), 10);
    assert_string_equal(buf_cstr(&out), "User: a\nAssistant: yes\n");
    buf_clear(&out);
    buf_init(&out, 1024);
    prompt_append_message(&out, false, STR("a👩‍👩‍👧‍👦"), 20);
    prompt_append_message(&out, false, STR("क्षि"), 8);
    assert_string_equal(buf_cstr(&out), "User: a\nUser: \n");
    buf_clear(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_messages_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
