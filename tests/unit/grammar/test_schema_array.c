/* Arrays: how many items, and which. */
#include "unit/grammar/grammar_fixture.h"

static const struct schema_case cases[] = {
    {"{\"type\":\"array\"}", {"[]", "[1]", "[1, \"a\", [null]]", "[1,2]"}, {"[1,]", "[,1]", "{}"}},
    {"{\"items\":{\"type\":\"integer\"}}", {"[]", "[1, 2, 3]"}, {"[1, \"a\"]"}},
    {"{\"items\":{\"const\":0},\"minItems\":2,\"maxItems\":3}", {"[0, 0]", "[0,0,0]"}, {"[]", "[0]", "[0, 0, 0, 0]"}},
    {"{\"items\":{\"const\":0},\"minItems\":1}", {"[0]", "[0, 0, 0, 0]"}, {"[]"}},
    {"{\"items\":{\"const\":0},\"maxItems\":1}", {"[]", "[0]"}, {"[0, 0]"}},
    {"{\"type\":\"array\",\"maxItems\":0}", {"[]"}, {"[0]"}},
    {"{\"prefixItems\":[{\"const\":1},{\"const\":2}]}", {"[1, 2]"}, {"[2, 1]", "[1, 2, 3]"}},
    {"{\"prefixItems\":[{\"const\":1}],\"items\":{\"const\":2},\"maxItems\":3}",
     {"[1]", "[1, 2]", "[1,2,2]"},
     {"[2]", "[1, 2, 2, 2]"}},
    {"{\"prefixItems\":[{\"const\":1}],\"items\":false}", {"[1]"}, {"[1, 1]"}},
    {"{\"prefixItems\":[{\"const\":1},{\"const\":2}],\"maxItems\":1}", {"[1]"}, {"[1, 2]"}},
    {"{\"prefixItems\":[{\"const\":1}],\"minItems\":2}", {"[1, null]", "[1, 2, 3]"}, {"[1]"}},
    {"{\"items\":[{\"const\":1},{\"const\":2}],\"additionalItems\":false}", {"[1, 2]"}, {"[1, 2, 2]"}},
    {"{\"items\":[{\"const\":1}],\"additionalItems\":{\"const\":2}}", {"[1]", "[1, 2, 2]"}, {"[1, 1]"}},
};

static void test_what_is_allowed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_schema(&cases[i], true);
    }
}

static void test_what_is_refused(void **state) {
    (void)state;
    assert_schema_refused("{\"items\":7}", false, "schema.items", ERR_INVALID);
    assert_schema_refused("{\"prefixItems\":{}}", false, "schema.prefixItems", ERR_INVALID);
    assert_schema_refused("{\"prefixItems\":[{},7]}", false, "schema.prefixItems[1]", ERR_INVALID);
    assert_schema_refused("{\"minItems\":1.5}", false, "schema.minItems", ERR_INVALID);
    assert_schema_refused("{\"minItems\":3,\"maxItems\":2}", false, "schema.minItems", ERR_INVALID);
    assert_schema_refused("{\"prefixItems\":[{}],\"items\":false,\"minItems\":2}", false, "schema.minItems",
                          ERR_INVALID);
    assert_schema_refused("{\"items\":{},\"maxItems\":1001}", true, "schema.maxItems", ERR_UNSUPPORTED);
    assert_schema_refused("{\"items\":{},\"minItems\":1001}", true, "schema.minItems", ERR_UNSUPPORTED);
    assert_schema(&(struct schema_case){"{\"items\":{\"const\":0},\"maxItems\":4000}", {"[0, 0]"}, {NULL}}, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
