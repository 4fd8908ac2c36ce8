/* Numbers within bounds, held against arithmetic: every range of small bounds, and every number near it. */
#include "grammar/number.h"

#include "grammar/gbnf.h"
#include "unit/grammar/grammar_fixture.h"

#include <inttypes.h>

static bool matches(const struct number_range *range, bool whole, const char *text) {
    struct gbnf gbnf;
    struct buf body;
    gbnf_init(&gbnf);
    buf_init(&body, GBNF_BYTES_MAX);
    if (whole) {
        number_append_integer(&body, range);
    } else {
        number_append_real(&body, range);
    }
    assert_true(gbnf_finish(&gbnf, &body));
    const bool good = grammar_allows(buf_str(&gbnf.text), str_from(text));
    buf_clear(&body);
    gbnf_clear(&gbnf);
    return good;
}

static bool within(const struct number_range *range, double number) {
    const double least = (double)range->least, most = (double)range->most;
    return (!range->has_least || (range->above_least ? number > least : number >= least)) &&
           (!range->has_most || (range->below_most ? number < most : number <= most));
}

static void assert_integers(const struct number_range *range, int64_t from, int64_t to) {
    for (int64_t i = from; i <= to; i++) {
        char text[32];
        snprintf(text, sizeof(text), "%" PRId64, i);
        if (matches(range, true, text) != within(range, (double)i)) {
            fail_msg("%s in %" PRId64 "..%" PRId64, text, range->least, range->most);
        }
    }
}

static void test_integers(void **state) {
    (void)state;
    for (int64_t least = -23; least <= 23; least += 2) {
        for (int64_t most = least; most <= 24; most += 3) {
            const struct number_range range = {true, true, false, false, least, most};
            assert_false(number_range_is_empty(&range));
            assert_integers(&range, least - 3, least + 3);
            assert_integers(&range, most - 3, most + 3);
        }
    }
    const struct number_range wide = {true, true, false, false, 8, 1234};
    assert_integers(&wide, 5, 12);
    assert_integers(&wide, 97, 103);
    assert_integers(&wide, 995, 1005);
    assert_integers(&wide, 1228, 1242);
    assert_integers(&(struct number_range){.has_least = true, .least = 95}, 88, 112);
    assert_integers(&(struct number_range){.has_most = true, .most = -95}, -112, -88);
    assert_false(matches(&wide, true, "0100"));
    assert_false(matches(&wide, true, "100.0"));
}

/* In tenths; the bounds themselves are within, or not. */
static void test_reals(void **state) {
    (void)state;
    for (int open = 0; open < 4; open++) {
        for (int64_t least = -12; least <= 12; least += 3) {
            for (int64_t most = least; most <= 13; most += 4) {
                const struct number_range range = {true, true, (open & 1) != 0, (open & 2) != 0, least, most};
                if (least == most && open != 0) {
                    assert_true(number_range_is_empty(&range));
                    continue;
                }
                for (int64_t tenths = 10 * least - 12; tenths <= 10 * most + 12; tenths++) {
                    const int64_t size = tenths < 0 ? -tenths : tenths;
                    char text[32];
                    snprintf(text, sizeof(text), size % 10 == 0 ? "%s%" PRId64 : "%s%" PRId64 ".%" PRId64,
                             tenths < 0 ? "-" : "", size / 10, size % 10);
                    if (matches(&range, false, text) != within(&range, (double)tenths / 10)) {
                        fail_msg("%s in %" PRId64 "..%" PRId64 " (%d)", text, least, most, open);
                    }
                }
            }
        }
    }
}

static void test_what_is_empty(void **state) {
    (void)state;
    assert_true(number_range_is_empty(&(struct number_range){true, true, false, false, 3, 2}));
    assert_true(number_range_is_empty(&(struct number_range){true, true, true, false, 3, 3}));
    assert_false(number_range_is_empty(&(struct number_range){true, true, false, false, 0, 0}));
    assert_false(number_range_is_empty(&(struct number_range){true, true, false, false, -3, -3}));
    assert_false(number_range_is_empty(&(struct number_range){0}));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_reals),
        cmocka_unit_test(test_what_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
