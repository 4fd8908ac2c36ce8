#include "grammar/charset.h"

#include "unit/grammar/grammar_fixture.h"

static void assert_ranges(const struct charset *set, const uint32_t (*ranges)[2], size_t count) {
    assert_int_equal(set->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(set->ranges[i].first, ranges[i][0]);
        assert_int_equal(set->ranges[i].last, ranges[i][1]);
    }
}

static void test_ranges_join(void **state) {
    struct charset set = {0};
    (void)state;
    assert_true(charset_add(&set, 10, 20));
    assert_true(charset_add(&set, 30, 40));
    assert_true(charset_add(&set, 1, 2));
    assert_ranges(&set, (const uint32_t[][2]){{1, 2}, {10, 20}, {30, 40}}, 3);
    assert_true(charset_add(&set, 21, 29)); /* touches both */
    assert_ranges(&set, (const uint32_t[][2]){{1, 2}, {10, 40}}, 2);
    assert_true(charset_add(&set, 15, 16)); /* is in it */
    assert_true(charset_add(&set, 0, 100));
    assert_ranges(&set, (const uint32_t[][2]){{0, 100}}, 1);
}

static void test_the_rest(void **state) {
    struct charset set = {0};
    (void)state;
    assert_true(charset_complement(&set));
    assert_ranges(&set, (const uint32_t[][2]){{0, 0xD7FF}, {0xE000, CHARSET_LAST}}, 2);
    assert_true(charset_complement(&set));
    assert_int_equal(set.count, 0);
    assert_true(charset_add(&set, 'a', 'z') && charset_add(&set, CHARSET_LAST, CHARSET_LAST));
    assert_true(charset_complement(&set));
    assert_ranges(&set, (const uint32_t[][2]){{0, 'a' - 1}, {'z' + 1, 0xD7FF}, {0xE000, CHARSET_LAST - 1}}, 3);
}

static void test_too_many_ranges(void **state) {
    struct charset set = {0};
    (void)state;
    for (uint32_t i = 0; i < CHARSET_RANGES; i++) {
        assert_true(charset_add(&set, 10 * i, 10 * i + 1));
    }
    assert_false(charset_add(&set, 9000, 9001));
    assert_true(charset_add(&set, 0, 9000)); /* all in one */
    assert_int_equal(set.count, 1);
}

static void test_characters(void **state) {
    static const struct {
        const char *text;
        uint32_t character;
    } cases[] = {{"a", 'a'}, {"é", 0xE9}, {"日", 0x65E5}, {"🌦", 0x1F326}};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t used;
        assert_int_equal(charset_decode(str_from(cases[i].text), &used), cases[i].character);
        assert_int_equal(used, strlen(cases[i].text));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ranges_join),
        cmocka_unit_test(test_the_rest),
        cmocka_unit_test(test_too_many_ranges),
        cmocka_unit_test(test_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
