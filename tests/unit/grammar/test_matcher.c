/* How far texts have come in a grammar: many ways at once, also where they are too many to follow one by one. */
#include "grammar/matcher.h"
#include "grammar/network.h"

#include "unit/grammar/grammar_fixture.h"

enum { BUDGET = 1 << 20 };

static struct matcher *matcher_of(const char *grammar) {
    struct err err;
    struct matcher *matcher = matcher_new(str_from(grammar), NETWORK_STEPS_MAX, &err);
    if (matcher == NULL) {
        fail_msg("%s: %s", grammar, err.message);
    }
    matcher_set_budget(matcher, BUDGET);
    return matcher;
}

static void test_forms(void **state) {
    static const struct {
        const char *grammar, *good[8], *bad[8];
    } cases[] = {
        {"root ::= \"a\" | \"bc\" \"\"\n", {"a", "bc"}, {"", "b", "abc", "ab"}},
        {"root ::= [a-c0-9\\]x]+\n", {"a", "b9]x"}, {"", "d", "a-"}},
        {"root ::= [\\x41\\u00e9\\U0001f326日-本]\n",
         {"A", "é", "🌦", "日", "本", "旦"},
         {"B", "\xC3", "\xF0\x9F\x8C", "e"}},
        {"root ::= (\"a\" \"b\"?){2,3}\n", {"aa", "abab", "aba", "abaab"}, {"a", "ab", "aaaa", "b"}},
        {"root ::= \"a\"{0} \"b\"{2,} \"c\"{3}\n", {"bbccc", "bbbbccc"}, {"abbccc", "bccc", "bbcc", "bbcccc"}},
        {"root ::= e\ne ::= e \"+\" e | [0-9]\n", {"1", "1+2", "1+2+3+4"}, {"", "+", "1+", "11"}}, /* ambiguous */
        {"root ::= x \"a\"\nx ::= y y\ny ::= \"b\"?\n", {"a", "ba", "bba"}, {"", "b", "bbba"}},    /* empty rules */
        {"root ::= l\nl ::= m \"a\" | \"\"\nm ::= l\n", {"", "a", "aaaa"}, {"b", "ab"}},           /* left recursion */
        {"root ::= ((\"a\"*)*)* ((\"b\"?)*)+\n", {"", "aaa", "aabb"}, {"ba", "c"}}, /* empty repetitions */
        {"root ::= \"(\" root \")\" | \"(\" root | \"x\"\n",
         {"x", "((x)", "((x))", "(((x"},
         {"(", "(x))", ")"}}, /* nested */
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct str grammar = str_from(cases[i].grammar);
        for (size_t k = 0; cases[i].good[k] != NULL; k++) {
            struct matcher *matcher = matcher_of(cases[i].grammar);
            if (!matcher_accept(matcher, str_from(cases[i].good[k])) || !matcher_may_end(matcher)) {
                fail_msg("%s does not allow %s", grammar.data, cases[i].good[k]);
            }
            matcher_free(matcher);
        }
        for (size_t k = 0; cases[i].bad[k] != NULL; k++) {
            struct matcher *matcher = matcher_of(cases[i].grammar);
            if (matcher_accept(matcher, str_from(cases[i].bad[k])) && matcher_may_end(matcher)) {
                fail_msg("%s allows %s", grammar.data, cases[i].bad[k]);
            }
            matcher_free(matcher);
        }
    }
}

/* What is only asked changes nothing; what is refused changes nothing. */
static void test_asking_changes_nothing(void **state) {
    struct matcher *matcher = matcher_of("root ::= \"[\" (root (\",\" root)*)? \"]\" | [0-9]+\n");
    (void)state;
    assert_true(matcher_accept(matcher, STR("[1,[")));
    for (int i = 0; i < 100; i++) {
        assert_true(matcher_allows(matcher, STR("2,[[]]],3")));
        assert_true(matcher_allows(matcher, STR("]]")));
        assert_false(matcher_allows(matcher, STR("]]]")));
        assert_false(matcher_accept(matcher, STR("7]]7")));
        assert_true(matcher_allows(matcher, STR("")));
        assert_false(matcher_may_end(matcher));
    }
    assert_true(matcher_accept(matcher, STR("]]")));
    assert_true(matcher_may_end(matcher));
    assert_false(matcher_allows(matcher, STR("]")));
    matcher_free(matcher);
}

/* Long texts: what nobody comes back to any more is forgotten, and the rest still found. */
static void test_long_texts(void **state) {
    struct matcher *matcher = matcher_of("root ::= \"[\" (item (\",\" item)*)? \"]\"\nitem ::= root | [a-z]{1,8}\n");
    (void)state;
    assert_true(matcher_accept(matcher, STR("[[[a")));
    for (int i = 0; i < 20000; i++) {
        matcher_set_budget(matcher, BUDGET);
        assert_true(matcher_accept(matcher, STR(",[bcd,[]],efghijkl")));
    }
    assert_false(matcher_allows(matcher, STR("m")));
    assert_true(matcher_accept(matcher, STR("]]]")));
    assert_true(matcher_may_end(matcher));
    matcher_free(matcher);
}

/* 3 to the power of 200 ways, which are one to each reader that shares them. */
static void test_many_ways(void **state) {
    static const char *const grammars[] = {
        "root ::= \"[\" root \"]\" | \"[\" root \"]\" | \"[\" (root | \"x\") \"]\" | \"x\"\n",
        "root ::= \"[\" (root (\",\" root)*)? \"]\" | \"[\" root (\",\" root)* \"]\" | \"x\"\n",
        "root ::= a | b\na ::= \"[\" (a | b)? \"]\" | \"x\"\nb ::= \"[\" (b | a) \"]\" | \"x\"\n",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(grammars); i++) {
        struct matcher *matcher = matcher_of(grammars[i]);
        for (int depth = 0; depth < 200; depth++) {
            assert_true(matcher_accept(matcher, STR("[")));
        }
        assert_true(matcher_accept(matcher, STR("x")));
        for (int depth = 0; depth < 200; depth++) {
            assert_false(matcher_may_end(matcher));
            assert_true(matcher_accept(matcher, STR("]")));
        }
        assert_true(matcher_may_end(matcher));
        matcher_free(matcher);
    }
}

static void test_budget(void **state) {
    struct matcher *matcher = matcher_of("root ::= (\"a\" | \"a\" root)*\n");
    (void)state;
    matcher_set_budget(matcher, 0);
    assert_true(matcher_is_spent(matcher));
    assert_false(matcher_allows(matcher, STR("a")));
    assert_false(matcher_accept(matcher, STR("a")));
    matcher_set_budget(matcher, BUDGET);
    assert_true(matcher_accept(matcher, STR("a")));
    matcher_set_budget(matcher, 20);
    assert_false(matcher_accept(matcher, STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")));
    assert_true(matcher_is_spent(matcher));
    matcher_set_budget(matcher, BUDGET);
    assert_true(matcher_accept(matcher, STR("aa")));
    matcher_free(matcher);
}

static void test_bad_grammars(void **state) {
    static const char *const grammars[] = {
        "",
        "\n",
        "a ::= \"b\"\n",
        "root ::= a\n",
        "root ::= (\"a\"\n",
        "root ::= \"a\")\n",
        "root ::= \"a\n",
        "root ::= [a\n",
        "root ::= [b-a]\n",
        "root ::= [^a]\n",
        "root ::= \"\\q\"\n",
        "root ::= \"\\u12\"\n",
        "root ::= \"\\Uffffffff\"\n",
        "root ::= \"a\"{\n",
        "root ::= \"a\"{2,1}\n",
        "root ::= \"a\"{9999}\n",
        "root ::= *\n",
        "root = \"a\"\n",
        "root ::= \"a\"\nroot ::= \"b\"\n",
        "root ::= ((\"a\"{2000}){2000}\n",
        "root ::= \"a\" \x01\n",
        "root ::= \"\\",
    };
    (void)state;
    for (size_t i = 0; i < COUNT_OF(grammars); i++) {
        struct err err = {0};
        if (matcher_new(str_from(grammars[i]), NETWORK_STEPS_MAX, &err) != NULL) {
            fail_msg("taken: %s", grammars[i]);
        }
        assert_true(err.code == ERR_INVALID || err.code == ERR_TOO_LARGE);
    }
}

/* Sizes are bounded, also where few bytes ask for much. */
static void test_large_grammars(void **state) {
    struct buf text;
    struct err err = {0};
    (void)state;
    buf_init(&text, 1 << 20);
    buf_append_cstr(&text, "root ::=");
    for (int i = 0; i < 400; i++) {
        buf_append_cstr(&text, " [a-z]{2000}");
    }
    assert_null(matcher_new(buf_str(&text), NETWORK_STEPS_MAX, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_reset(&text);
    buf_append_cstr(&text, "root ::= ");
    for (int i = 0; i < 100; i++) {
        buf_append_cstr(&text, "(");
    }
    assert_null(matcher_new(buf_str(&text), NETWORK_STEPS_MAX, &err));
    assert_int_equal(err.code, ERR_TOO_LARGE);
    buf_clear(&text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),         cmocka_unit_test(test_asking_changes_nothing),
        cmocka_unit_test(test_long_texts),    cmocka_unit_test(test_many_ways),
        cmocka_unit_test(test_budget),        cmocka_unit_test(test_bad_grammars),
        cmocka_unit_test(test_large_grammars)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
