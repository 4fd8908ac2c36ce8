/* What of our environment a child is given. */
#include "base/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char *value_of(char **environment, const char *name) {
    for (char **line = environment; *line != NULL; line++) {
        if (strncmp(*line, name, strlen(name)) == 0 && (*line)[strlen(name)] == '=') {
            return *line + strlen(name) + 1;
        }
    }
    return NULL;
}

static void test_only_what_is_named_is_kept(void **state) {
    static const char *const KEPT[] = {"TEST_A", "TEST_LIST_*", "TEST_MISSING", NULL};
    static const char *const EXTRA[] = {"TEST_NEW=7", NULL};
    (void)state;
    setenv("TEST_A", "1", 1);
    setenv("TEST_AB", "secret", 1);
    setenv("TEST_LIST_1", "x=y", 1);
    setenv("TEST_LIST_", "", 1);
    setenv("TEST_LIST", "secret", 1);
    char **made = environment_make(KEPT, EXTRA);
    assert_string_equal(value_of(made, "TEST_A"), "1");
    assert_string_equal(value_of(made, "TEST_LIST_1"), "x=y");
    assert_string_equal(value_of(made, "TEST_LIST_"), "");
    assert_string_equal(value_of(made, "TEST_NEW"), "7");
    size_t count = 0;
    while (made[count] != NULL) {
        count++;
    }
    assert_int_equal(count, 4);
    environment_free(made);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_only_what_is_named_is_kept)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
