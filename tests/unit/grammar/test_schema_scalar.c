/* Strings and numbers. */
#include "unit/grammar/grammar_fixture.h"

static const struct schema_case cases[] = {
    {"{\"type\":\"string\"}",
     {"\"\"", "\"a b\"", "\"\\n\\\"\\\\\\/\"", "\"日本 🌦 ไทย\"", "\"\\u001f\""},
     {"\"", "a", "\"\n\"", "\"\\x\"", "\"\\ud83c\"", "\"a\"b\""}},
    {"{\"minLength\":2,\"maxLength\":4}", {"\"ab\"", "\"日本語文\"", "\"\\n\\n\""}, {"\"a\"", "\"abcde\"", "\"日\""}},
    {"{\"maxLength\":0}", {"\"\""}, {"\"a\""}},
    {"{\"pattern\":\"^[a-c]{2}$\"}", {"\"ab\""}, {"\"abc\"", "\"ad\"", "\"\""}},
    {"{\"format\":\"date\"}",
     {"\"2024-02-29\"", "\"2000-02-29\"", "\"1999-12-31\"", "\"2023-04-30\""},
     {"\"2023-02-30\"", "\"2023-13-01\"", "\"2023-04-31\"", "\"2023-02-29\"", "\"1900-02-29\"", "\"23-01-01\""}},
    {"{\"format\":\"time\"}",
     {"\"23:59:59Z\"", "\"00:00:00.5+02:00\""},
     {"\"24:00:00Z\"", "\"12:00:00\"", "\"1:00:00Z\""}},
    {"{\"format\":\"date-time\"}", {"\"2024-02-29T12:00:00Z\""}, {"\"2024-02-29 12:00:00Z\"", "\"2024-02-29\""}},
    {"{\"format\":\"uuid\"}", {"\"123e4567-e89b-12d3-a456-426614174000\""}, {"\"123e4567e89b12d3a456426614174000\""}},
    {"{\"format\":\"email\"}",
     {"\"ada@example.com\"", "\"a.b+c@x-y.co.uk\""},
     {"\"ada@\"", "\"@x.com\"", "\"a b@x.com\"", "\"a@x\""}},
    {"{\"format\":\"ipv4\"}", {"\"255.0.10.199\""}, {"\"256.0.0.1\"", "\"1.2.3\"", "\"01.2.3.4\""}},
    {"{\"format\":\"ipv6\"}",
     {"\"2001:db8:0:0:0:0:0:1\"", "\"::1\"", "\"fe80::1\"", "\"::\""},
     {"\":::\"", "\"1:2:3\""}},
    {"{\"format\":\"hostname\"}", {"\"example.com\"", "\"a-b\""}, {"\"-a\"", "\"a..b\"", "\"a_b\""}},
    {"{\"format\":\"uri\"}",
     {"\"https://example.com/a/b?c=d#e\"", "\"ftp://x\""},
     {"\"example.com\"", "\"http://\"", "\"http://a b\""}},
    {"{\"format\":\"colour\"}", {"\"anything\""}, {"7"}},
    {"{\"type\":\"integer\"}", {"0", "-12", "123456789012345"}, {"1.0", "01", "+1", "1e3", "1234567890123456"}},
    {"{\"type\":\"number\"}", {"0", "-1.5", "2e10", "0.001"}, {"1.", ".5", "1e", "NaN", "00"}},
    {"{\"type\":\"integer\",\"minimum\":8,\"maximum\":105}",
     {"8", "9", "10", "99", "100", "105"},
     {"7", "106", "110", "1000", "-8", "08"}},
    {"{\"type\":\"integer\",\"minimum\":-12,\"maximum\":3}", {"-12", "-9", "-1", "0", "3"}, {"-13", "4", "-0", "-20"}},
    {"{\"type\":\"integer\",\"exclusiveMinimum\":1,\"exclusiveMaximum\":4}", {"2", "3"}, {"1", "4"}},
    {"{\"type\":\"integer\",\"minimum\":1,\"exclusiveMinimum\":true}", {"2", "30"}, {"1", "0"}},
    {"{\"type\":\"integer\",\"minimum\":2.5,\"maximum\":4.5}", {"3", "4"}, {"2", "5"}},
    {"{\"type\":\"integer\",\"maximum\":-5}", {"-5", "-123"}, {"-4", "0", "5"}},
    {"{\"type\":\"integer\",\"minimum\":0}", {"0", "7", "123456789012345"}, {"-1"}},
    {"{\"type\":\"number\",\"minimum\":0,\"maximum\":1}", {"0", "0.5", "1", "0.999999"}, {"-0.5", "1.5", "2", "1.1"}},
    {"{\"type\":\"number\",\"exclusiveMinimum\":0,\"maximum\":100}",
     {"0.1", "100", "99.5"},
     {"0", "0.0", "-1", "100.1"}},
    {"{\"type\":\"number\",\"minimum\":-5,\"exclusiveMaximum\":7}",
     {"-5", "-4.5", "0", "6.9", "-0.5"},
     {"-5.5", "7", "7.1"}},
    {"{\"type\":\"number\",\"minimum\":3}", {"3", "3.14159265358979", "12"}, {"2.9", "-3"}},
    {"{\"type\":\"number\",\"multipleOf\":1}", {"3"}, {"3.5"}},
    {"{\"type\":\"number\",\"multipleOf\":5}", {"0", "5", "-10", "123455"}, {"3", "05", "-0", "5.0", "12"}},
    {"{\"type\":\"integer\",\"multipleOf\":100,\"minimum\":0}",
     {"0", "100", "900", "1000", "42100"},
     {"-100", "10", "00", "150"}},
    {"{\"type\":\"integer\",\"multipleOf\":25,\"exclusiveMinimum\":0}",
     {"25", "50", "100", "175"},
     {"0", "5", "-25", "30"}},
    {"{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":-10,\"maximum\":30}",
     {"-7", "0", "7", "28"},
     {"-14", "35", "8"}},
};

static void test_what_is_allowed(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_schema(&cases[i], true);
    }
}

/* Longer than a grammar can repeat one thing. */
static void test_long_limits(void **state) {
    (void)state;
    for (int length = 1499; length <= 1501; length++) {
        char text[GBNF_MATCH_TEXT_MAX + 1];
        memset(text, 'a', (size_t)length + 2);
        text[0] = text[length + 1] = '"';
        text[length + 2] = '\0';
        const struct schema_case fits = {"{\"minLength\":3,\"maxLength\":1500}", {text}, {NULL}};
        const struct schema_case not = {"{\"minLength\":3,\"maxLength\":1500}", {"\"abc\""}, {text, "\"ab\""}};
        assert_schema(length <= 1500 ? &fits : &not, true);
    }
}

static void test_what_is_refused(void **state) {
    (void)state;
    assert_schema_refused("{\"minLength\":\"1\"}", false, "schema.minLength", ERR_INVALID);
    assert_schema_refused("{\"minLength\":3,\"maxLength\":2}", false, "schema.minLength", ERR_INVALID);
    assert_schema_refused("{\"pattern\":7}", false, "schema.pattern", ERR_INVALID);
    assert_schema_refused("{\"pattern\":\"(\"}", false, "schema.pattern", ERR_INVALID);
    assert_schema_refused("{\"pattern\":\"(?=a)\"}", true, "schema.pattern", ERR_UNSUPPORTED);
    assert_schema_refused("{\"pattern\":\"a\",\"minLength\":3}", true, "schema.pattern", ERR_UNSUPPORTED);
    assert_schema_refused("{\"format\":\"date\",\"maxLength\":3}", true, "schema.format", ERR_UNSUPPORTED);
    assert_schema_refused("{\"maxLength\":9000}", true, "schema.maxLength", ERR_UNSUPPORTED);
    assert_schema_refused("{\"minimum\":\"0\"}", false, "schema.minimum", ERR_INVALID);
    assert_schema_refused("{\"type\":\"integer\",\"minimum\":3,\"maximum\":2}", false, "schema", ERR_INVALID);
    assert_schema_refused("{\"type\":\"number\",\"exclusiveMinimum\":3,\"maximum\":3}", false, "schema", ERR_INVALID);
    assert_schema_refused("{\"type\":\"integer\",\"minimum\":1e300}", false, "schema.minimum", ERR_INVALID);
    assert_schema_refused("{\"type\":\"number\",\"minimum\":0.5}", true, "schema.minimum", ERR_UNSUPPORTED);
    assert_schema_refused("{\"type\":\"integer\",\"multipleOf\":7}", true, "schema.multipleOf", ERR_UNSUPPORTED);
    assert_schema_refused("{\"type\":\"number\",\"multipleOf\":0.1}", true, "schema.multipleOf", ERR_UNSUPPORTED);
    assert_schema_refused("{\"type\":\"integer\",\"multipleOf\":5,\"maximum\":0}", true, "schema.multipleOf",
                          ERR_UNSUPPORTED);
    assert_schema_refused("{\"type\":\"integer\",\"multipleOf\":7,\"minimum\":1,\"maximum\":6}", false,
                          "schema.multipleOf", ERR_INVALID);
    assert_schema_refused("{\"type\":\"integer\",\"multipleOf\":0}", false, "schema.multipleOf", ERR_INVALID);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_allowed),
        cmocka_unit_test(test_long_limits),
        cmocka_unit_test(test_what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
