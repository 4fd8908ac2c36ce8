/* Calls of tools as grammars. */
#include "grammar/calls.h"

#include "unit/grammar/grammar_fixture.h"

static bool make(const char *parameters, bool strict, struct gbnf *gbnf, struct err *err) {
    struct json_parser *parser = json_parser_new(1 << 20, 64);
    struct calls_tool tools[] = {
        {.name = STR("get_weather"), .strict = strict, .field = "tools[0].function.parameters"},
        {.name = STR("now"), .field = "tools[1].function.parameters"}};
    struct buf body;
    *err = (struct err){0};
    assert_true(json_parse(parser, str_from(parameters), &tools[0].parameters, err));
    gbnf_init(gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    const bool good = calls_append(tools, COUNT_OF(tools), gbnf, &body, err) && gbnf_finish(gbnf, &body);
    buf_clear(&body);
    json_parser_free(parser);
    return good;
}

static void test_one_of_the_tools(void **state) {
    static const char *const good[] = {
        "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"Paris\"}}",
        "{\"name\":\"get_weather\",\"arguments\":{\"city\":\"Αθήνα\"}}",
        "{\"name\": \"now\", \"arguments\": {}}",
    };
    static const char *const bad[] = {
        "{\"name\": \"rm\", \"arguments\": {}}",
        "{\"name\": \"get_weather\", \"arguments\": {}}",
        "{\"name\": \"get_weather\"}",
        "{\"name\": \"now\", \"arguments\": {\"a\": 1}}",
        "{\"arguments\": {}, \"name\": \"now\"}",
        "{\"name\": \"now\", \"arguments\": {}} ",
    };
    struct gbnf gbnf;
    struct err err;
    (void)state;
    assert_true(make("{\"type\":\"object\",\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}",
                     true, &gbnf, &err));
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_true(grammar_allows(buf_str(&gbnf.text), str_from(good[i])));
    }
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(grammar_allows(buf_str(&gbnf.text), str_from(bad[i])));
    }
    gbnf_clear(&gbnf);
}

/* A schema without a type is an object's here. */
static void test_parameters_without_a_type(void **state) {
    struct gbnf gbnf;
    struct err err;
    (void)state;
    assert_true(make("{}", false, &gbnf, &err));
    assert_true(grammar_allows(buf_str(&gbnf.text), STR("{\"name\": \"get_weather\", \"arguments\": {\"a\": 1}}")));
    assert_false(grammar_allows(buf_str(&gbnf.text), STR("{\"name\": \"get_weather\", \"arguments\": 1}")));
    gbnf_clear(&gbnf);
}

static void test_the_place_of_what_is_wrong(void **state) {
    struct gbnf gbnf;
    struct err err;
    (void)state;
    assert_false(make("{\"properties\":{\"a\":{\"type\":\"x\"}}}", false, &gbnf, &err));
    assert_string_equal(err.field, "tools[0].function.parameters.properties.a.type");
    gbnf_clear(&gbnf);
    assert_false(make("{\"properties\":{\"a\":{\"not\":{}}}}", true, &gbnf, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED);
    gbnf_clear(&gbnf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_of_the_tools),
        cmocka_unit_test(test_parameters_without_a_type),
        cmocka_unit_test(test_the_place_of_what_is_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
