/* Regular expressions: what matches, and which are refused. */
#include "grammar/pattern.h"

#include "unit/grammar/grammar_fixture.h"

static bool make(const char *pattern, struct gbnf *gbnf, struct err *err) {
    struct buf body;
    *err = (struct err){0};
    gbnf_init(gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    const bool good = pattern_append(gbnf, &body, str_from(pattern), err);
    if (good) {
        assert_true(gbnf_finish(gbnf, &body));
    }
    buf_clear(&body);
    return good;
}

/* Texts as they stand between the quotes of a JSON string. */
static const struct {
    const char *pattern, *good[8], *bad[8];
} cases[] = {
    {"^abc$", {"abc"}, {"ab", "abcd", "xabc"}},
    {"abc", {"abc", "xxabc", "abcxx", "xabcx"}, {"ab", "acb"}},
    {"^a", {"a", "ab"}, {"ba", ""}},
    {"c$", {"c", "abc"}, {"cb"}},
    {"", {"", "anything"}, {NULL}},
    {"^$", {""}, {"a"}},
    {"^a|b$", {"a", "ax", "b", "xb"}, {"xa", "bx"}},
    {"^(a|b|)c$", {"ac", "bc", "c"}, {"abc", ""}},
    {"^[a-c1-3_]+$", {"a1_", "c"}, {"", "d", "4"}},
    {"^[^a-c]$", {"d", "\\\"", "\\\\", "\\n", "日", "-"}, {"a", "\"", "dd"}},
    {"^[-x]$", {"-", "x"}, {"a"}},
    {"^[x-]$", {"-", "x"}, {"a"}},
    {"^[\\d-x]$", {"7", "-", "x"}, {"w"}},
    {"^[\\]\\\\]$", {"]", "\\\\"}, {"["}},
    {"^\\d{3}-\\d{2,4}$", {"123-45", "123-4567"}, {"123-4", "123-45678", "12-34"}},
    {"^\\w+\\s\\W$", {"ab_1 !", "a\\t-"}, {"ab", "a b"}},
    {"^a{2}b{2,}c{0,1}d?$", {"aabb", "aabbbbcd"}, {"abb", "aab", "aabbcc"}},
    {"^a{$", {"a{"}, {"a"}},
    {"^a{,3}$", {"a{,3}"}, {"aaa"}},
    {"^a{2,1x$", {"a{2,1x"}, {"aa{2,1x", "aax"}},
    {"^a{3$", {"a{3"}, {"aaa", "aaa{3"}},
    {"^a{0,$", {"a{0,"}, {"", "{0,"}},
    {"^a*?b+?$", {"b", "aabb"}, {"a"}},
    {"^.$", {"x", "日", "\\\""}, {"\\n", "", "xx"}},
    {"^\\.\\*\\/$", {".*/"}, {"a*/"}},
    {"^\\x41\\u00e9$", {"Aé"}, {"A"}},
    {"^\\ud83c\\udf26$", {"🌦"}, {"🌧"}},
    {"^[一-龥]{2}$", {"東京"}, {"東", "ab"}},
    {"^[\\t\\n\"]$", {"\\t", "\\n", "\\\""}, {"t", "\t"}},
    {"^(?:ab)+(?<year>\\d)$", {"abab1"}, {"aba1"}},
    {"^((a|b)(c|d)){1,2}$", {"ac", "bdad"}, {"ab", "acacac"}},
};

static void test_what_matches(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct gbnf gbnf;
        struct err err;
        if (!make(cases[i].pattern, &gbnf, &err)) {
            fail_msg("%s: %s", cases[i].pattern, err.message);
        }
        for (size_t k = 0; k < 8 && cases[i].good[k] != NULL; k++) {
            if (!grammar_allows(buf_str(&gbnf.text), str_from(cases[i].good[k]))) {
                fail_msg("%s does not match %s\n%s", cases[i].pattern, cases[i].good[k], buf_cstr(&gbnf.text));
            }
        }
        for (size_t k = 0; k < 8 && cases[i].bad[k] != NULL; k++) {
            if (grammar_allows(buf_str(&gbnf.text), str_from(cases[i].bad[k]))) {
                fail_msg("%s matches %s\n%s", cases[i].pattern, cases[i].bad[k], buf_cstr(&gbnf.text));
            }
        }
        gbnf_clear(&gbnf);
    }
}

static const struct {
    const char *pattern;
    enum err_code code;
} refused[] = {
    {"(", ERR_INVALID},
    {"a)", ERR_INVALID},
    {"[a", ERR_INVALID},
    {"[b-a]", ERR_INVALID},
    {"*a", ERR_INVALID},
    {"a**", ERR_INVALID},
    {"a{3,2}", ERR_INVALID},
    {"\\", ERR_INVALID},
    {"\\xg0", ERR_INVALID},
    {"\\y", ERR_INVALID},
    {"(?x)", ERR_INVALID},
    {"[]", ERR_UNSUPPORTED}, /* no character at all */
    {"(?=a)b", ERR_UNSUPPORTED},
    {"(?!a)b", ERR_UNSUPPORTED},
    {"(?<=a)b", ERR_UNSUPPORTED},
    {"(a)\\1", ERR_UNSUPPORTED},
    {"\\bword\\b", ERR_UNSUPPORTED},
    {"\\p{L}+", ERR_UNSUPPORTED},
    {"\\k<a>", ERR_UNSUPPORTED},
    {"a^b", ERR_UNSUPPORTED},
    {"(a$)b", ERR_UNSUPPORTED},
    {"\\ud83c", ERR_UNSUPPORTED},
    /* costs without end */
    {"^(a*)*$", ERR_UNSUPPORTED},
    {"^(a?){5}$", ERR_UNSUPPORTED},
    {"^(|a)+$", ERR_UNSUPPORTED},
    {"^a{1001}$", ERR_UNSUPPORTED},
    {"^((a{100}){100}){100}$", ERR_UNSUPPORTED},
    {"^(([a-z]{0,100}){0,100}){0,100}$", ERR_UNSUPPORTED},
};

static void test_what_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < COUNT_OF(refused); i++) {
        struct gbnf gbnf;
        struct err err;
        if (make(refused[i].pattern, &gbnf, &err)) {
            fail_msg("accepted: %s", refused[i].pattern);
        }
        if (err.code != refused[i].code) {
            fail_msg("%s: %d %s", refused[i].pattern, (int)err.code, err.message);
        }
        gbnf_clear(&gbnf);
    }
}

static void test_what_is_too_much(void **state) {
    char text[PATTERN_BYTES_MAX + 2];
    struct gbnf gbnf;
    struct err err;
    (void)state;
    memset(text, 'a', PATTERN_BYTES_MAX + 1);
    text[PATTERN_BYTES_MAX + 1] = '\0';
    assert_false(make(text, &gbnf, &err));
    assert_int_equal(err.code, ERR_INVALID);
    gbnf_clear(&gbnf);
    memset(text, '(', 100);
    text[100] = '\0';
    assert_false(make(text, &gbnf, &err));
    assert_int_equal(err.code, ERR_UNSUPPORTED); /* nested too deeply */
    gbnf_clear(&gbnf);
    text[0] = '[';
    for (int i = 0; i < 200; i++) { /* more ranges than a class holds */
        memcpy(text + 1 + 2 * i, i < 100 ? "\xC4" : "\xC5", 1);
        text[2 + 2 * i] = (char)(0x80 + (i % 32) * 2);
    }
    text[401] = ']';
    text[402] = '\0';
    (void)make(text, &gbnf, &err); /* refused or not, it must not be read beyond its bounds */
    gbnf_clear(&gbnf);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_matches),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_what_is_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
