#include "api/query.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void test_find(void **state) {
    (void)state;
    static const struct {
        const char *query, *name, *value; /* NULL: not there */
    } cases[] = {
        {"", "a", NULL},   {"a=1", "a", "1"},     {"a=1&b=2", "b", "2"},  {"a=1&a=2", "a", "1"}, {"aa=1", "a", NULL},
        {"a", "a", ""},    {"a=", "a", ""},       {"&&b=2&", "b", "2"},   {"a=b=c", "a", "b=c"}, {"x=a=1", "a", NULL},
        {"=1", "a", NULL}, {"a=%41", "a", "%41"}, {"b&a=1&b=2", "b", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct str value = STR("");
        bool found = query_find(str_from(cases[i].query), cases[i].name, &value);
        assert_int_equal(found, cases[i].value != NULL);
        assert_true(!found || str_equal_cstr(value, cases[i].value));
    }
}

static void test_decode(void **state) {
    (void)state;
    static const char *const wrong[] = {"%", "%4", "%4g", "%g4", "a%", "123456789"};
    char out[8];
    struct str text;
    assert_true(query_decode(STR("a%2Fb%2fc"), out, sizeof(out), &text));
    assert_true(str_equal(text, STR("a/b/c")));
    assert_true(query_decode(STR(""), out, sizeof(out), &text));
    assert_int_equal(text.len, 0);
    assert_true(query_decode(STR("%41%42%43%44%45%46%47%48"), out, sizeof(out), &text));
    assert_true(str_equal(text, STR("ABCDEFGH")));
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_false(query_decode(str_from(wrong[i]), out, sizeof(out), &text));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_find),
        cmocka_unit_test(test_decode),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
