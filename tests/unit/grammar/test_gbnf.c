#include "grammar/gbnf.h"

#include "unit/grammar/grammar_fixture.h"

static void test_literals_of_any_bytes(void **state) {
    static const char text[] = "say \"hi\"\\ \n\t\x7F é日🌦 [a-z]{2} ::= |";
    struct gbnf gbnf;
    struct buf body;
    (void)state;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    gbnf_append_literal(&body, str_from(text));
    assert_true(gbnf_finish(&gbnf, &body));
    assert_true(grammar_allows(buf_str(&gbnf.text), str_from(text)));
    assert_false(grammar_allows(buf_str(&gbnf.text), STR("say")));
    buf_clear(&body);
    gbnf_clear(&gbnf);
}

/* A string stands as JSON has it. */
static void test_strings(void **state) {
    struct gbnf gbnf;
    struct buf body;
    (void)state;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    gbnf_append_string(&body, STR("a\"b\n"));
    assert_true(gbnf_finish(&gbnf, &body));
    assert_true(grammar_allows(buf_str(&gbnf.text), STR("\"a\\\"b\\n\"")));
    buf_clear(&body);
    gbnf_clear(&gbnf);
}

/* Rules may be named before they are written, and name themselves; common ones come with all that they need. */
static void test_rules(void **state) {
    struct gbnf gbnf;
    struct buf body;
    (void)state;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    const uint32_t nest = gbnf_reserve_rule(&gbnf);
    gbnf_append_literal(&body, STR("("));
    gbnf_append_rule(&body, nest);
    gbnf_append_times(&body, 0, UINT32_MAX);
    gbnf_append_literal(&body, STR(")"));
    gbnf_write_rule(&gbnf, nest, &body);
    buf_reset(&body);
    gbnf_append_rule(&body, nest);
    gbnf_append_times(&body, 2, 3);
    gbnf_append_common(&gbnf, &body, GBNF_ARRAY);
    assert_true(gbnf_finish(&gbnf, &body));
    assert_true(grammar_allows(buf_str(&gbnf.text), STR("(())()[{\"a\": [null, -1.5e3]}]")));
    assert_false(grammar_allows(buf_str(&gbnf.text), STR("(())[]")));
    assert_false(grammar_allows(buf_str(&gbnf.text), STR("()()()()[]")));
    buf_clear(&body);
    gbnf_clear(&gbnf);
}

static void test_one_that_is_too_large(void **state) {
    struct gbnf gbnf;
    struct buf body;
    (void)state;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    gbnf_append_literal(&body, STR("abcdefghijklmnopqrstuvwxyz"));
    for (int i = 0; i < GBNF_BYTES_MAX / 32; i++) {
        (void)gbnf_add_rule(&gbnf, &body);
    }
    assert_false(gbnf_finish(&gbnf, &body));
    buf_clear(&body);
    gbnf_clear(&gbnf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_literals_of_any_bytes),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_rules),
        cmocka_unit_test(test_one_that_is_too_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
