/* Members of a JSON object, read by rules. */
#include "wire/field.h"

#include "base/compiler.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

struct target {
    struct field_real real;
    struct field_integer whole, any;
    bool flag;
    struct str text;
    struct json_value json;
};

#define AT(member) .offset = offsetof(struct target, member)

static const struct field_rule RULES[] = {
    {STR("real"), field_read_real, AT(real), .min = 0, .max = 2},
    {STR("whole"), field_read_integer, AT(whole), .min = 1, .max = 10},
    {STR("any"), field_read_int64, AT(any)},
    {STR("flag"), field_read_bool, AT(flag)},
    {STR("text"), field_read_str, AT(text), .max_bytes = 4},
    {STR("json"), field_read_json, AT(json)},
    {STR("ignored"), field_read_ignored, .type = JSON_OBJECT},
    {STR("ignored_text"), field_read_ignored_str, .max_bytes = 4},
    {STR("refused"), field_refuse, .offset = 0},
    {STR("refused_true"), field_refuse_true, .offset = 0},
    {STR("refused_number"), field_refuse_nonzero, .min = -2, .max = 2},
};

static struct json_parser *parser;

static int setup(void **state) {
    (void)state;
    parser = json_parser_new(4096, 8);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    json_parser_free(parser);
    return 0;
}

static bool read_text(const char *text, struct target *target, struct err *err) {
    struct json_value root;
    *target = (struct target){0};
    *err = (struct err){0};
    assert_true(json_parse(parser, str_from(text), &root, err));
    return fields_read(root, RULES, COUNT_OF(RULES), target, err);
}

static void every_kind(void **state) {
    struct target target;
    struct err err;
    (void)state;
    assert_true(read_text("{\"real\":0.5,\"whole\":10,\"any\":-9223372036854775808,\"flag\":true,\"text\":\"four\","
                          "\"json\":[1],\"ignored\":{\"a\":1},\"ignored_text\":\"x\",\"refused_true\":false,"
                          "\"refused_number\":0,\"unknown\":1}",
                          &target, &err));
    assert_true(target.real.given && target.whole.given && target.any.given && target.flag);
    assert_true(target.real.value > 0.49 && target.real.value < 0.51);
    assert_int_equal(target.whole.value, 10);
    assert_int_equal(target.any.value, INT64_MIN);
    assert_true(str_equal_cstr(target.text, "four"));
    assert_int_equal(json_count(target.json), 1);
}

static void null_is_absent_and_the_first_counts(void **state) {
    struct target target;
    struct err err;
    (void)state;
    assert_true(read_text("{\"whole\":3,\"whole\":99,\"real\":null,\"refused\":null}", &target, &err));
    assert_int_equal(target.whole.value, 3);
    assert_false(target.real.given);
}

static void refusals(void **state) {
    static const struct {
        const char *text, *field, *words;
        enum err_code code;
    } CASES[] = {
        {"{\"real\":2.1}", "real", "between 0 and 2", ERR_INVALID},
        {"{\"real\":\"1\"}", "real", "a number, not a string", ERR_INVALID},
        {"{\"whole\":11}", "whole", "a whole number between 1 and 10", ERR_INVALID},
        {"{\"whole\":1.5}", "whole", "a whole number between 1 and 10", ERR_INVALID},
        {"{\"whole\":[]}", "whole", "a whole number, not an array", ERR_INVALID},
        {"{\"any\":9223372036854775808}", "any", "fits 64 bits", ERR_INVALID},
        {"{\"any\":true}", "any", "a whole number, not", ERR_INVALID},
        {"{\"flag\":1}", "flag", "true or false", ERR_INVALID},
        {"{\"text\":\"fives\"}", "text", "at most 4 bytes", ERR_INVALID},
        {"{\"text\":{}}", "text", "a string, not an object", ERR_INVALID},
        {"{\"ignored\":[]}", "ignored", "an object, not an array", ERR_INVALID},
        {"{\"ignored_text\":\"fives\"}", "ignored_text", "at most 4 bytes", ERR_INVALID},
        {"{\"refused\":false}", "refused", "is not supported yet", ERR_UNSUPPORTED},
        {"{\"refused_true\":true}", "refused_true", "is not supported yet", ERR_UNSUPPORTED},
        {"{\"refused_number\":1}", "refused_number", "is not supported yet", ERR_UNSUPPORTED},
        {"{\"refused_number\":3}", "refused_number", "between -2 and 2", ERR_INVALID},
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct target target;
        struct err err;
        assert_false(read_text(CASES[i].text, &target, &err));
        assert_int_equal(err.code, CASES[i].code);
        assert_string_equal(err.field, CASES[i].field);
        if (strstr(err.message, CASES[i].words) == NULL) {
            fail_msg("no \"%s\" in %s", CASES[i].words, err.message);
        }
    }
}

static void amounts(void **state) {
    (void)state;
    static const struct {
        const char *text;
        bool taken;
        int64_t nearest, below;
    } CASES[] = {
        {"0", true, 0, 0},
        {"4.75", true, 4750000000, 4750000000},
        {"1e-9", true, 1, 1},
        {"0.29", true, 290000000, 290000000},
        {"0.30000000000000004", true, 300000000, 300000000},
        {"0.7999999999999999", true, 800000000, 799999999},
        {"1e-10", true, 0, 0},
        {"9223372036", true, INT64_C(9223372036000000000), INT64_C(9223372036000000000)},
        {"9223372037", false, 0, 0},
        {"1e300", false, 0, 0},
        {"-1e-9", false, 0, 0},
        {"\"1\"", false, 0, 0},
        {"null", false, 0, 0},
    };
    for (size_t i = 0; i < COUNT_OF(CASES); i++) {
        struct json_value value;
        struct err err;
        int64_t nearest = 0, below = 0;
        assert_true(json_parse(parser, str_from(CASES[i].text), &value, &err));
        assert_int_equal(field_usd(value, false, &nearest), CASES[i].taken);
        assert_int_equal(field_usd(value, true, &below), CASES[i].taken);
        if (CASES[i].taken && (nearest != CASES[i].nearest || below != CASES[i].below)) {
            fail_msg("%s", CASES[i].text);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind),
        cmocka_unit_test(null_is_absent_and_the_first_counts),
        cmocka_unit_test(refusals),
        cmocka_unit_test(amounts),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
