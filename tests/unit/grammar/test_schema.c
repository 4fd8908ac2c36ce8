/* Every text of a schema's grammar is valid under it, and what a model would write is a text of it. */
#include "unit/grammar/grammar_fixture.h"

static const struct schema_case cases[] = {
    {"{}", {"1", "\"a\"", "null", "[1, {\"a\": true}]", "{}"}, {"", "a", "[1,]", "{\"a\"}", "{a:1}", " 1"}},
    {"true", {"false", "-1.5e3"}, {"01", "1.", ".5"}},
    {"{\"type\":\"null\"}", {"null"}, {"0", "\"null\""}},
    {"{\"type\":\"boolean\"}", {"true", "false"}, {"True", "1"}},
    {"{\"type\":[\"integer\",\"null\"]}", {"0", "-7", "null"}, {"1.5", "\"1\"", "-"}},
    {"{\"type\":\"integer\",\"nullable\":true}", {"5", "null"}, {"\"\""}},
    {"{\"enum\":[\"a\",1,null,{\"x\":[1,\"b\"]}]}", {"\"a\"", "1", "null", "{\"x\":[1,\"b\"]}"}, {"\"b\"", "a", "2"}},
    {"{\"type\":\"string\",\"enum\":[\"a\",1]}", {"\"a\""}, {"1"}},
    {"{\"const\":\"say \\\"hi\\\"\\n\"}", {"\"say \\\"hi\\\"\\n\""}, {"\"say hi\""}},
    {"{\"anyOf\":[{\"type\":\"integer\"},{\"type\":\"string\",\"maxLength\":2}]}",
     {"12", "\"ab\""},
     {"\"abc\"", "1.5"}},
    {"{\"type\":\"object\",\"anyOf\":[{\"properties\":{\"a\":{}},\"required\":[\"a\"]},{\"required\":[\"b\"]}]}",
     {"{\"a\": 1}", "{\"b\":2}"},
     {"{\"c\":1}", "3"}},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"string\"}]}", {"1", "\"1\""}, {"null"}},
    {"{\"oneOf\":[{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"a\"},\"n\":{\"type\":\"integer\"}},"
     "\"required\":[\"k\",\"n\"]},{\"type\":\"object\",\"properties\":{\"k\":{\"const\":\"b\"}},\"required\":[\"k\"]}]"
     "}",
     {"{\"k\": \"a\", \"n\": 3}", "{\"k\": \"b\"}"},
     {"{\"k\": \"c\"}", "{\"k\": \"a\"}"}},
    {"{\"allOf\":[{\"$ref\":\"#/$defs/p\"}],\"$defs\":{\"p\":{\"type\":\"integer\"}},\"title\":\"x\"}",
     {"4"},
     {"\"4\""}},
    {"{\"allOf\":[{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"integer\"}},\"required\":[\"a\"]},"
     "{\"properties\":{\"b\":{\"type\":\"null\"}},\"required\":[\"b\"]}]}",
     {"{\"a\": 1, \"b\": null}"},
     {"{\"a\": 1}", "{\"b\": null}"}},
    /* a list, by reference to itself */
    {"{\"$defs\":{\"n\":{\"type\":\"object\",\"properties\":{\"v\":{\"type\":\"integer\"},\"next\":{\"anyOf\":["
     "{\"$ref\":\"#/$defs/n\"},{\"type\":\"null\"}]}},\"required\":[\"v\",\"next\"]}},\"$ref\":\"#/$defs/n\"}",
     {"{\"v\": 1, \"next\": null}", "{\"v\":1,\"next\":{\"v\":2,\"next\":null}}"},
     {"{\"v\": 1}", "null"}},
    {"{\"type\":\"array\",\"items\":{\"$ref\":\"#\"}}", {"[]", "[[], [[]]]"}, {"[1]"}},
    {"{\"$ref\":\"#/definitions/a~1b%25\",\"definitions\":{\"a/b%\":{\"const\":1}}}", {"1"}, {"2"}},
    /* words that only describe */
    {"{\"$schema\":\"x\",\"$id\":\"y\",\"description\":\"z\",\"default\":1,\"examples\":[1],\"type\":\"integer\"}",
     {"1"},
     {"z"}},
};

static void test_what_is_allowed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_schema(&cases[i], true);
        assert_schema(&cases[i], false);
    }
}

static const struct {
    const char *schema, *field;
} invalid[] = {
    {"7", "schema"},
    {"false", "schema"},
    {"{\"type\":\"frob\"}", "schema.type"},
    {"{\"type\":[]}", "schema.type"},
    {"{\"type\":7}", "schema.type"},
    {"{\"enum\":[]}", "schema.enum"},
    {"{\"type\":\"string\",\"enum\":[1]}", "schema.enum"},
    {"{\"anyOf\":[]}", "schema.anyOf"},
    {"{\"allOf\":{}}", "schema.allOf"},
    {"{\"anyOf\":[{\"type\":\"string\"},{\"type\":\"array\",\"items\":5}]}", "schema.anyOf[1].items"},
    {"{\"$ref\":\"#/$defs/x\"}", "schema.$ref"},
    {"{\"$ref\":\"http://example.org/x\"}", "schema.$ref"},
    {"{\"$ref\":\"#\"}", "schema.$ref"},
    {"{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}", "schema.anyOf[0].anyOf[0].$ref"},
    {"{\"properties\":{\"a\":{\"type\":\"integer\",\"minimum\":\"x\"}}}", "schema.properties.a.minimum"},
    /* nothing that ends is valid */
    {"{\"type\":\"object\",\"properties\":{\"x\":{\"$ref\":\"#\"}},\"required\":[\"x\"]}", "schema"},
    {"{\"type\":\"array\",\"items\":{\"$ref\":\"#\"},\"minItems\":1}", "schema"},
};

static void test_what_is_no_schema(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(invalid); i++) {
        assert_schema_refused(invalid[i].schema, false, invalid[i].field, ERR_INVALID);
    }
}

/* Refused where it must be kept to, else left out: then more is allowed. */
static const struct {
    const char *schema, *field, *allowed;
} beyond[] = {
    {"{\"not\":{\"type\":\"string\"}}", "schema.not", "\"a\""},
    {"{\"type\":\"object\",\"if\":{}}", "schema.if", "{}"},
    {"{\"type\":\"array\",\"uniqueItems\":true}", "schema.uniqueItems", "[1, 1]"},
    {"{\"type\":\"array\",\"contains\":{\"const\":1}}", "schema.contains", "[]"},
    {"{\"type\":\"object\",\"patternProperties\":{\"^a\":{}}}", "schema.patternProperties", "{}"},
    {"{\"oneOf\":[{\"type\":\"integer\"},{\"type\":\"number\"}]}", "schema.oneOf", "1"},
    {"{\"allOf\":[{\"type\":\"string\",\"minLength\":1},{\"pattern\":\"a\"}]}", "schema.allOf", "\"b\""},
    {"{\"$ref\":\"#/$defs/a\",\"minimum\":3,\"$defs\":{\"a\":{\"type\":\"integer\"}}}", "schema", "1"},
    {"{\"type\":\"integer\",\"minimum\":1,\"anyOf\":[{\"maximum\":5},{\"minimum\":10}]}", "schema.anyOf", "7"},
};

static void test_what_cannot_be_said(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(beyond); i++) {
        assert_schema_refused(beyond[i].schema, true, beyond[i].field, ERR_UNSUPPORTED);
        assert_schema(&(struct schema_case){.schema = beyond[i].schema, .good = {beyond[i].allowed}}, false);
    }
    assert_schema(&(struct schema_case){.schema = "{\"type\":\"array\",\"uniqueItems\":false}", .good = {"[1, 1]"}},
                  true);
}

/* Schemas that are made to be too much, of each kind. */
static void test_what_is_too_much(void **state) {
    enum { MANY = SCHEMA_NODES_MAX + 1 };
    struct buf text;
    (void)state;
    buf_init(&text, 1 << 20);
    buf_append_cstr(&text, "{\"anyOf\":[");
    for (int i = 0; i < 400; i++) { /* each of several alternatives */
        buf_append_format(&text, "%s{\"anyOf\":[{},{},{},{},{},{}]}", i > 0 ? "," : "");
    }
    buf_append_cstr(&text, "]}");
    assert_schema_refused(buf_cstr(&text), false, "schema.anyOf[285].anyOf[3]", ERR_TOO_LARGE);
    buf_reset(&text);
    buf_append_cstr(&text, "{\"enum\":[0");
    for (int i = 0; i < SCHEMA_CHOICES_MAX; i++) {
        buf_append_format(&text, ",%d", i);
    }
    buf_append_cstr(&text, "]}");
    assert_schema_refused(buf_cstr(&text), false, "schema.enum", ERR_INVALID);
    buf_reset(&text);
    buf_append_cstr(&text, "{\"$ref\":\"#/$defs/d0\",\"$defs\":{");
    for (int i = 0; i < SCHEMA_REFS_MAX + 1; i++) { /* a chain of references */
        buf_append_format(&text, "\"d%d\":{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/d%d\"}},", i, i + 1);
    }
    buf_append_format(&text, "\"d%d\":{}}}", SCHEMA_REFS_MAX + 1);
    struct gbnf gbnf;
    struct err err;
    assert_false(grammar_make(buf_cstr(&text), false, &gbnf, &err));
    assert_int_equal(err.code, ERR_INVALID);
    assert_int_equal(strlen(err.field), ERR_FIELD_MAX - 1); /* the place, cut */
    gbnf_clear(&gbnf);
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_what_is_no_schema),
        cmocka_unit_test(test_what_cannot_be_said),
        cmocka_unit_test(test_what_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
