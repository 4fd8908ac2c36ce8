/* Sizes, folders and names of models. */
#include "cmd/model_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/str.h"

#include <stdlib.h>
#include <string.h>

static void sizes_for_a_person(void **state) {
    static const struct {
        uint64_t bytes;
        const char *text;
    } CASES[] = {{0, "0 B"},
                 {999, "999 B"},
                 {1000, "1.0 kB"},
                 {98362432, "98.4 MB"},
                 {2393231360, "2.4 GB"},
                 {1500000000000, "1.5 TB"},
                 {UINT64_MAX, "18446744.1 TB"}};
    char text[MODEL_TEXT_SIZE];
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        assert_string_equal(model_text_bytes(CASES[i].bytes, text), CASES[i].text);
    }
}

static void the_folder_is_the_one_given_or_the_default(void **state) {
    char folder[FILE_PATH_MAX], long_path[FILE_PATH_MAX + 1];
    struct err err = {0};
    (void)state;
    assert_true(model_text_folder(folder, "/somewhere", &err));
    assert_string_equal(folder, "/somewhere");
    setenv("NATARIS_MODELS", "/from/the/environment", 1);
    assert_true(model_text_folder(folder, NULL, &err));
    assert_string_equal(folder, "/from/the/environment");
    unsetenv("NATARIS_MODELS");
    memset(long_path, 'a', sizeof(long_path) - 1);
    long_path[sizeof(long_path) - 1] = '\0';
    assert_false(model_text_folder(folder, long_path, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
}

static void an_alias_means_its_model(void **state) {
    (void)state;
    assert_string_equal(model_text_id("nataris-fast"), "qwen2.5-0.5b-instruct-q6_k");
    assert_string_equal(model_text_id("nataris-demo-2m"), "nataris-demo-2m");
    assert_string_equal(model_text_id("mine"), "mine");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_for_a_person),
        cmocka_unit_test(the_folder_is_the_one_given_or_the_default),
        cmocka_unit_test(an_alias_means_its_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
