/* Cells of the operator's tables. */
#include "cmd/admin_command.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void assert_cell(const char *object, const char *wanted) {
    struct json_parser *parser = json_parser_new(1024, 8);
    struct json_value root = {0};
    struct err err = {0};
    char cell[64];
    assert_true(json_parse(parser, str_from(object), &root, &err));
    assert_string_equal(admin_cell(root, "name", cell, sizeof cell), wanted);
    json_parser_free(parser);
}

static void test_what_a_cell_says(void **state) {
    (void)state;
    assert_cell("{\"name\":\"laptop\"}", "laptop");
    assert_cell("{\"name\":true}", "yes");
    assert_cell("{\"name\":12}", "12");
    assert_cell("{\"name\":null}", "-");
    assert_cell("{}", "-");
}

/* A device that calls itself "clear the screen" does not clear it, nor does it add a line to the table. */
static void test_names_do_not_steer_the_terminal(void **state) {
    (void)state;
    assert_cell("{\"name\":\"a\\u001b[2Jb\"}", "a?[2Jb");
    assert_cell("{\"name\":\"a\\r\\nb\\tc\\u007f\"}", "a??b?c?");
    assert_cell("{\"name\":\"a\\u009b2J\"}", "a??2J"); /* CSI as one character */
    assert_cell("{\"name\":\"caf\\u00e9\\u00a0\"}", "caf\xc3\xa9\xc2\xa0");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_a_cell_says),
        cmocka_unit_test(test_names_do_not_steer_the_terminal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
