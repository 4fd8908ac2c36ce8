/* Rows and lines made of JSON answers. */
#include "cmd/table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/command_fixture.h"

struct json_text {
    struct json_parser *parser;
    struct json_value root;
};

static void parse(struct json_text *json, const char *text) {
    struct err err = {0};
    json->parser = json_parser_new(4096, 8);
    assert_true(json_parse(json->parser, str_from(text), &json->root, &err));
}

static void assert_cell(const char *object, const char *name, const char *wanted) {
    struct json_text json;
    char cell[64];
    parse(&json, object);
    assert_string_equal(table_cell(json.root, name, cell, sizeof(cell)), wanted);
    json_parser_free(json.parser);
}

static void what_a_cell_says(void **state) {
    (void)state;
    assert_cell("{\"name\":\"laptop\"}", "name", "laptop");
    assert_cell("{\"name\":true}", "name", "yes");
    assert_cell("{\"name\":false}", "name", "no");
    assert_cell("{\"name\":12}", "name", "12");
    assert_cell("{\"name\":null}", "name", "-");
    assert_cell("{}", "name", "-");
    assert_cell("{\"name\":[1,\"a\"]}", "name", "[1,\"a\"]");
}

static void dollars_have_no_exponent(void **state) {
    (void)state;
    assert_cell("{\"amount_usd\":1e-9}", "amount_usd", "0.000000001");
    assert_cell("{\"amount_usd\":4.75}", "amount_usd", "4.75");
    assert_cell("{\"amount_usd\":\"4.75\"}", "amount_usd", "4.75");
    assert_cell("{\"rate\":1e-9}", "rate", "1e-09");
}

static void a_cell_is_cut_between_characters(void **state) {
    struct json_text json;
    char cell[5];
    (void)state;
    parse(&json, "{\"name\":\"caf\xc3\xa9s\"}");
    assert_string_equal(table_cell(json.root, "name", cell, sizeof(cell)), "caf");
    json_parser_free(json.parser);
}

/* A device that calls itself "clear the screen" does not clear it, nor does it add a line to the table. */
static void names_do_not_steer_the_terminal(void **state) {
    (void)state;
    assert_cell("{\"name\":\"a\\u001b[2Jb\"}", "name", "a?[2Jb");
    assert_cell("{\"name\":\"a\\r\\nb\\tc\\u007f\"}", "name", "a??b?c?");
    assert_cell("{\"name\":\"a\\u009b2J\"}", "name", "a??2J"); /* CSI as one character */
    assert_cell("{\"name\":\"a\\u202egpj.exe\\u2066b\\u200f\"}", "name", "a???gpj.exe???b???"); /* right to left */
    assert_cell("{\"name\":\"a\\u2028b\\u061cc\"}", "name", "a???b??c");
    assert_cell("{\"name\":\"caf\\u00e9\\u00a0\"}", "name", "caf\xc3\xa9\xc2\xa0");
}

static void only_true_is_a_flag(void **state) {
    struct json_text json;
    (void)state;
    parse(&json, "{\"a\":true,\"b\":false,\"c\":1,\"d\":null}");
    assert_true(table_flag(json.root, "a"));
    assert_false(table_flag(json.root, "b"));
    assert_false(table_flag(json.root, "c"));
    assert_false(table_flag(json.root, "d"));
    assert_false(table_flag(json.root, "e"));
    json_parser_free(json.parser);
}

/* --- What is printed --- */

static const char *note_text(struct json_value item, char *out, size_t size) {
    snprintf(out, size, "%s", table_flag(item, "ok") ? "fine" : "not so");
    return out;
}

static const struct table_column COLUMNS[] = {{"ID", -4, "id", 3, NULL},
                                              {"COUNT", 6, "count", 0, NULL},
                                              {"USD", 4, "usd", 0, NULL},
                                              {"NOTE", 0, NULL, 0, note_text}};
static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "id"};

static void print_list(void *context) {
    const struct json_value *list = context;
    table_print_list(&TABLE, *list);
}

static void rows_of_a_list(void **state) {
    struct command_fixture *fixture = *state;
    struct json_text json;
    parse(&json,
          "{\"data\":[{\"id\":\"a\",\"count\":1,\"usd\":2,\"ok\":true},{\"id\":\"abcdef\"}],\"has_more\":false}");
    command_fixture_print(fixture, print_list, &json.root);
    assert_printed(fixture, "ID    COUNT  USD  NOTE\n"
                            "a         1    2  fine\n"
                            "abc       -    -  not so\n");
    json_parser_free(json.parser);
}

static void how_to_get_more_rows(void **state) {
    struct command_fixture *fixture = *state;
    struct json_text json;
    parse(&json, "{\"data\":[{\"id\":\"a\"},{\"id\":\"abcdef\"}],\"has_more\":true}");
    command_fixture_print(fixture, print_list, &json.root);
    assert_prints(fixture, "not so\nThere are more: --after abcdef\n");
    json_parser_free(json.parser);
}

static void a_list_without_data_has_titles(void **state) {
    struct command_fixture *fixture = *state;
    struct json_text json;
    parse(&json, "{}");
    command_fixture_print(fixture, print_list, &json.root);
    assert_printed(fixture, "ID    COUNT  USD  NOTE\n");
    json_parser_free(json.parser);
}

static void print_name(struct json_value item) {
    char name[8];
    printf("<%s>\n", table_cell(item, "id", name, sizeof(name)));
}

static void print_items(void *context) {
    const struct json_value *list = context;
    table_print_items(*list, print_name, "--before", "id");
}

static void items_print_themselves(void **state) {
    struct command_fixture *fixture = *state;
    struct json_text json;
    parse(&json, "{\"data\":[{\"id\":1},{\"id\":2}],\"has_more\":true}");
    command_fixture_print(fixture, print_items, &json.root);
    assert_printed(fixture, "<1>\n<2>\nThere are more: --before 2\n");
    json_parser_free(json.parser);
    parse(&json, "{}");
    command_fixture_print(fixture, print_items, &json.root);
    assert_string_equal(buf_cstr(&fixture->output), "");
    json_parser_free(json.parser);
}

static void print_row(void *context) {
    static const char *const CELLS[COUNT_OF(COLUMNS)] = {"longer", "7", "8", "end"};
    (void)context;
    table_print_titles(&TABLE);
    table_print_row(&TABLE, CELLS);
}

static void rows_of_anything(void **state) {
    struct command_fixture *fixture = *state;
    command_fixture_print(fixture, print_row, NULL);
    assert_printed(fixture, "ID    COUNT  USD  NOTE\nlonger      7    8  end\n");
}

static void print_lines(void *context) {
    static const struct table_line LINES[] = {{"Name", "name"}, {"Balance", "balance_usd"}};
    const struct json_value *object = context;
    table_print_lines(*object, 8, LINES, COUNT_OF(LINES));
}

static void lines_of_an_object(void **state) {
    struct command_fixture *fixture = *state;
    struct json_text json;
    parse(&json, "{\"name\":\"Ada\",\"balance_usd\":1e-9}");
    command_fixture_print(fixture, print_lines, &json.root);
    assert_printed(fixture, "Name     Ada\nBalance  0.000000001\n");
    json_parser_free(json.parser);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_cell_says),
        cmocka_unit_test(dollars_have_no_exponent),
        cmocka_unit_test(a_cell_is_cut_between_characters),
        cmocka_unit_test(names_do_not_steer_the_terminal),
        cmocka_unit_test(only_true_is_a_flag),
        COMMAND_TEST(rows_of_a_list),
        COMMAND_TEST(how_to_get_more_rows),
        COMMAND_TEST(a_list_without_data_has_titles),
        COMMAND_TEST(items_print_themselves),
        COMMAND_TEST(rows_of_anything),
        COMMAND_TEST(lines_of_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
