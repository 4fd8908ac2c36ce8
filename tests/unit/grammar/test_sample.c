/* Texts made of grammars alone: each keeps to its grammar, and ends. */
#include "grammar/sample.h"

#include "unit/grammar/grammar_fixture.h"

static struct str sample_of(struct str grammar, const char *begun, struct buf *text) {
    struct err err;
    buf_reset(text);
    if (!sample_append(grammar, str_from(begun), text, &err)) {
        fail_msg("%.*s: %s", (int)grammar.len, grammar.data, err.message);
    }
    return buf_str(text);
}

static void test_of_schemas(void **state) {
    static const char *const schemas[] = {
        "{\"type\":\"string\"}",
        "{\"type\":\"string\",\"minLength\":4}",
        "{\"type\":\"string\",\"pattern\":\"^(ab)*c[0-9]{3}$\"}",
        "{\"type\":\"integer\",\"minimum\":17,\"maximum\":5000}",
        "{\"type\":[\"number\",\"null\"]}",
        "{\"type\":\"array\",\"minItems\":3,\"items\":{\"enum\":[\"x\",7,null]}}",
        "{\"required\":[\"v\",\"c\"],\"properties\":{\"c\":{\"items\":{\"$ref\":\"#\"},\"type\":\"array\"},\"v\":{}}}",
        "{\"type\":\"string\",\"format\":\"date-time\"}",
        "{}",
    };
    struct buf text;
    (void)state;
    buf_init(&text, SAMPLE_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(schemas); i++) {
        struct gbnf gbnf;
        struct err err;
        assert_true(grammar_make(schemas[i], false, &gbnf, &err));
        assert_true(grammar_allows(buf_str(&gbnf.text), sample_of(buf_str(&gbnf.text), "", &text)));
        gbnf_clear(&gbnf);
    }
    buf_clear(&text);
}

/* What somebody else began is gone on with, unless it cannot be. */
static void test_goes_on(void **state) {
    static const struct str grammar = STR("root ::= \"[\" [a-z]+ (\",\" [a-z]+)* \"]\"\n");
    struct buf text;
    (void)state;
    buf_init(&text, SAMPLE_BYTES_MAX);
    assert_true(str_equal(sample_of(grammar, "[hello,w", &text), STR("[hello,w]")));
    assert_true(str_equal(sample_of(grammar, "[a]", &text), STR("[a]")));
    assert_true(str_equal(sample_of(grammar, "", &text), sample_of(grammar, "hello", &text)));
    buf_clear(&text);
}

static void test_what_has_none(void **state) {
    static const char *const grammars[] = {"root ::= \"a\" root\n", "root ::= root\n",
                                           "root ::= \"a\"{2000} \"b\"{2000} \"c\"{2000} \"d\"{2000} \"e\"{2000}\n"};
    struct buf text;
    struct err err;
    (void)state;
    buf_init(&text, SAMPLE_BYTES_MAX);
    for (size_t i = 0; i < COUNT_OF(grammars); i++) {
        assert_false(sample_append(str_from(grammars[i]), STR(""), &text, &err));
        assert_int_equal(err.code, ERR_TOO_LARGE);
        assert_int_equal(text.len, 0);
    }
    assert_false(sample_append(STR("root ::= ("), STR(""), &text, &err));
    assert_int_equal(err.code, ERR_INVALID);
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_of_schemas), cmocka_unit_test(test_goes_on),
                                       cmocka_unit_test(test_what_has_none)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
