/* Objects: which properties, in which order, and what else. */
#include "unit/grammar/grammar_fixture.h"

#define ABC "\"properties\":{\"a\":{\"type\":\"integer\"},\"b\":{\"type\":\"boolean\"},\"c\":{\"type\":\"null\"}}"

static const struct schema_case cases[] = {
    {"{\"type\":\"object\"}", {"{}", "{\"any\": [1, {\"x\": null}]}", "{\"a\":1,\"a\":2}"}, {"[]", "{", "{\"a\":}"}},
    {"{" ABC "}",
     {"{}", "{\"a\": 1}", "{\"b\":true}", "{\"c\": null}", "{\"a\":1,\"b\":false}", "{\"a\": 1, \"c\": null}",
      "{\"b\": true, \"c\": null}", "{\"a\": 1, \"b\": true, \"c\": null}"},
     {"{\"b\": true, \"a\": 1}", "{\"a\": true}", "{\"d\": 1}", "{\"a\": 1,}", "{, \"b\": true}",
      "{\"a\": 1 \"b\": true}"}},
    {"{" ABC ",\"required\":[\"b\"]}",
     {"{\"b\": true}", "{\"a\": 1, \"b\": true}", "{\"b\": true, \"c\": null}", "{\"a\":1,\"b\":true,\"c\":null}"},
     {"{}", "{\"a\": 1}", "{\"a\": 1, \"c\": null}", "{\"c\": null}"}},
    {"{" ABC ",\"required\":[\"a\",\"b\",\"c\"],\"additionalProperties\":false}",
     {"{\"a\": 1, \"b\": true, \"c\": null}"},
     {"{\"a\": 1, \"b\": true}", "{}"}},
    /* required, and described nowhere */
    {"{\"required\":[\"z\"]}", {"{\"z\": 1}", "{\"z\": {}}"}, {"{}"}},
    {"{\"required\":[\"z\"],\"additionalProperties\":{\"type\":\"integer\"}}", {"{\"z\": 1}"}, {"{\"z\": \"a\"}"}},
    /* maps */
    {"{\"type\":\"object\",\"additionalProperties\":{\"type\":\"integer\"}}",
     {"{}", "{\"x\": 1}", "{\"x\":1,\"y z\":-2}"},
     {"{\"x\": \"1\"}", "{\"x\": 1,}"}},
    {"{\"type\":\"object\",\"additionalProperties\":false}", {"{}"}, {"{\"a\": 1}"}},
    {"{\"type\":\"object\",\"additionalProperties\":{\"const\":0},\"minProperties\":1,\"maxProperties\":2}",
     {"{\"a\": 0}", "{\"a\": 0, \"b\": 0}"},
     {"{}", "{\"a\": 0, \"b\": 0, \"c\": 0}"}},
    {"{\"type\":\"object\",\"minProperties\":2}",
     {"{\"a\": 0, \"b\": 0}", "{\"a\":0,\"b\":0,\"c\":0}"},
     {"{\"a\": 0}", "{}"}},
    /* names in any script, and with what JSON escapes */
    {"{\"properties\":{\"naïve \\\"名前\\\"\\n\":{\"const\":1}},\"required\":[\"naïve \\\"名前\\\"\\n\"]}",
     {"{\"naïve \\\"名前\\\"\\n\": 1}"},
     {"{\"naive\": 1}"}},
};

static void test_what_is_allowed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_schema(&cases[i], true);
    }
}

static void test_what_is_refused(void **state) {
    (void)state;
    assert_schema_refused("{\"properties\":[]}", false, "schema.properties", ERR_INVALID);
    assert_schema_refused("{\"properties\":{\"a\":{\"items\":3}}}", false, "schema.properties.a.items", ERR_INVALID);
    assert_schema_refused("{\"required\":\"a\"}", false, "schema.required", ERR_INVALID);
    assert_schema_refused("{\"required\":[1]}", false, "schema.required", ERR_INVALID);
    assert_schema_refused("{\"required\":[\"a\"],\"additionalProperties\":false}", false, "schema.required",
                          ERR_INVALID);
    assert_schema_refused("{\"minProperties\":-1}", false, "schema.minProperties", ERR_INVALID);
    assert_schema_refused("{\"minProperties\":3,\"maxProperties\":2}", false, "schema.minProperties", ERR_INVALID);
    assert_schema_refused("{" ABC ",\"required\":[\"a\",\"b\"],\"maxProperties\":1}", false, "schema.maxProperties",
                          ERR_INVALID);
    assert_schema_refused("{" ABC ",\"minProperties\":1}", true, "schema.minProperties", ERR_UNSUPPORTED);
    assert_schema_refused("{" ABC ",\"maxProperties\":2}", true, "schema.maxProperties", ERR_UNSUPPORTED);
}

/* Each that may be left out is a choice for every token. */
static void test_how_many_may_be_left_out(void **state) {
    (void)state;
    for (int count = SCHEMA_OPTIONAL_MAX; count <= SCHEMA_OPTIONAL_MAX + 1; count++) {
        struct buf text;
        buf_init(&text, 1 << 20);
        buf_append_cstr(&text, "{\"properties\":{");
        for (int i = 0; i < count; i++) {
            buf_append_format(&text, "%s\"p%d\":{\"const\":0}", i > 0 ? "," : "", i);
        }
        buf_append_cstr(&text, "}}");
        if (count > SCHEMA_OPTIONAL_MAX) {
            assert_schema_refused(buf_cstr(&text), false, "schema.properties", ERR_INVALID);
        } else {
            assert_schema(
                &(struct schema_case){buf_cstr(&text), {"{}", "{\"p5\": 0, \"p63\": 0}"}, {"{\"p9\": 0, \"p8\": 0}"}},
                true);
        }
        buf_clear(&text);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_how_many_may_be_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
