#include "core/audit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random_source.h"

#include <math.h>

static struct core_audit_found found(double flatter, double far) {
    return (struct core_audit_found){.tokens = 40, .ratios = {flatter, flatter, -1, far}};
}

static const struct core_audit_found GOOD = {.tokens = 40, .ratios = {-0.8, -2, -2, -0.8}};
static const struct core_audit_found BAD = {.tokens = 40, .ratios = {0, 0, 0, 50}};

static void an_answer_adds_at_most_eight(void **state) {
    (void)state;
    struct core_audit audit = {0};
    assert_int_equal(core_audit_add(&audit, &BAD), CORE_AUDIT_ALERTED);
    assert_true(audit.sums[3] == 8.0);
    assert_int_equal(core_audit_add(&audit, &BAD), CORE_AUDIT_FAILED);
    assert_true(audit.failed);
    /* told once */
    assert_int_equal(core_audit_add(&audit, &BAD), CORE_AUDIT_ALERTED);
    assert_int_equal(audit.passed, 0);
    assert_int_equal(audit.audits, 3);
}

static void good_answers_of_before_do_not_hide_bad_ones(void **state) {
    (void)state;
    struct core_audit audit = {0};
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(core_audit_add(&audit, &GOOD), CORE_AUDIT_PASSED);
    }
    (void)core_audit_add(&audit, &BAD);
    assert_int_equal(core_audit_add(&audit, &BAD), CORE_AUDIT_FAILED);
}

/* Of its answers one in `every` is a smaller model's; each honest one has the ratios of a long answer. */
static uint32_t audits_until_failed(uint32_t every) {
    struct core_audit audit = {0};
    static const struct core_audit_found smaller = {.tokens = 80, .ratios = {3.5, 4, -15, 12}};
    static const struct core_audit_found honest = {.tokens = 80, .ratios = {-1.5, -6, -5, -1.6}};
    while (!audit.failed && audit.audits < 1000) {
        (void)core_audit_add(&audit, (audit.audits + 1) % every == 0 ? &smaller : &honest);
    }
    return audit.audits;
}

static void cheating_in_some_answers_only_adds_up(void **state) {
    (void)state;
    assert_int_equal(audits_until_failed(1), 2);
    assert_int_equal(audits_until_failed(5), 10);
    assert_in_range(audits_until_failed(10), 20, 40);
    assert_int_equal(audits_until_failed(200), 1000); /* not promised */
}

static void two_scorers_must_agree_on_what_is_worse(void **state) {
    (void)state;
    double joined[CORE_AUDIT_SUMS] = {5, -1, 3, 100};
    const double other[CORE_AUDIT_SUMS] = {4, 2, 3, -1e6};
    core_audit_join(joined, other);
    assert_true(joined[0] == 4 && joined[1] == -1 && joined[2] == 3 && joined[3] == -1e6);
}

static void each_sum_can_fail(void **state) {
    (void)state;
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        struct core_audit audit = {0};
        struct core_audit_found one = {.tokens = 8};
        one.ratios[i] = 8;
        assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_ALERTED);
        assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_ALERTED);
        assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_FAILED);
    }
}

static void no_numbers_say_nothing(void **state) {
    (void)state;
    struct core_audit audit = {0};
    struct core_audit_found one = BAD;
    one.tokens = 0;
    assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_VOID);
    one = BAD;
    one.ratios[0] = NAN;
    assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_VOID);
    one.ratios[0] = INFINITY;
    assert_int_equal(core_audit_add(&audit, &one), CORE_AUDIT_VOID);
    assert_int_equal(audit.audits, 0);
}

/* Nobody becomes known by a word or two; but who lies in these only is found. */
static void short_answers_are_not_passed_but_can_fail(void **state) {
    (void)state;
    struct core_audit audit = {0};
    const struct core_audit_found good = {.tokens = 3, .ratios = {-0.1, -0.2, -0.2, -0.06}};
    const struct core_audit_found elsewhere = {.tokens = 2, .ratios = {0, 0, 0, 10.6}};
    for (int i = 0; i < 50; i++) {
        assert_int_equal(core_audit_add(&audit, &good), CORE_AUDIT_SHORT);
    }
    assert_int_equal(audit.audits + audit.passed + audit.clean, 0);
    assert_int_equal(core_audit_add(&audit, &elsewhere), CORE_AUDIT_ALERTED);
    assert_int_equal(core_audit_add(&audit, &elsewhere), CORE_AUDIT_FAILED);
    while (audit.sums[3] > CORE_AUDIT_ALERT) {
        (void)core_audit_add(&audit, &GOOD);
    }
    const uint32_t clean = audit.clean;
    for (int i = 0; i < 50; i++) {
        assert_int_equal(core_audit_add(&audit, &good), CORE_AUDIT_SHORT);
    }
    assert_int_equal(audit.clean, clean);
    assert_true(audit.failed);
}

/* One word of two is from elsewhere in one answer of five; the others are as they should be. */
static void a_device_that_lies_in_short_answers_only_is_found(void **state) {
    (void)state;
    struct core_audit audit = {0};
    struct random_source source = {.state = 3};
    const struct core_audit_found good = {.tokens = 3, .ratios = {-0.1, -0.2, -0.2, -0.06}};
    const struct core_audit_found elsewhere = {.tokens = 2, .ratios = {0, 0, 0, 5.28}};
    int count = 0;
    for (; !audit.failed && count < 1000; count++) {
        (void)core_audit_add(&audit, random_below(&source, 5) == 0 ? &elsewhere : &good);
    }
    assert_in_range(count, 4, 60);
}

static void a_contradiction_is_as_bad_as_can_be(void **state) {
    (void)state;
    struct core_audit audit = {0};
    const struct core_audit_found lie = {.contradicts = true};
    assert_int_equal(core_audit_add(&audit, &lie), CORE_AUDIT_ALERTED);
    assert_int_equal(core_audit_add(&audit, &lie), CORE_AUDIT_FAILED);
}

static uint32_t share_of(const struct core_audit *audit, uint32_t permille) {
    const struct core_audit_terms terms = {.permille = permille, .max_tokens = 100};
    return core_audit_share(audit, &terms);
}

static void new_and_suspected_devices_are_looked_at_always(void **state) {
    (void)state;
    struct core_audit audit = {0};
    for (uint32_t i = 0; i < CORE_AUDIT_NEW_PASSED; i++) {
        assert_int_equal(share_of(&audit, 50), 1000000);
        (void)core_audit_add(&audit, &GOOD);
    }
    assert_int_equal(share_of(&audit, 50), 100000); /* 1 of the 10 that counted */
    for (uint32_t i = 0; i < 10; i++) {
        (void)core_audit_add(&audit, &GOOD);
    }
    assert_int_equal(share_of(&audit, 50), 50000);
    assert_int_equal(share_of(&audit, 25), 50000);
    for (uint32_t i = 0; i < 100; i++) {
        (void)core_audit_add(&audit, &GOOD);
    }
    assert_int_equal(share_of(&audit, 50), 50000);
    assert_int_equal(share_of(&audit, 25), 25000);
    assert_int_equal(share_of(&audit, 5000), 1000000);
    assert_int_equal(share_of(&audit, 0), 0);
    const struct core_audit_found odd = found(6.5, -1);
    (void)core_audit_add(&audit, &odd);
    assert_int_equal(share_of(&audit, 25), 1000000);
}

/* They make no device known, so looking at each would never end; suspected ones are looked at all the same. */
static void requests_for_a_word_are_looked_at_as_of_known_devices(void **state) {
    (void)state;
    struct core_audit audit = {0};
    const struct core_audit_terms terms = {.permille = 50, .max_tokens = CORE_AUDIT_TOKENS_MIN - 1};
    assert_int_equal(core_audit_share(&audit, &terms), 50000);
    (void)core_audit_add(&audit, &BAD);
    assert_int_equal(core_audit_share(&audit, &terms), 1000000);
}

static void passed_audits_clear_a_device(void **state) {
    (void)state;
    struct core_audit audit = {0};
    for (int i = 0; i < 50; i++) {
        (void)core_audit_add(&audit, &BAD);
    }
    uint32_t needed = 0;
    enum core_audit_verdict verdict = CORE_AUDIT_VOID;
    while (verdict != CORE_AUDIT_CLEARED && needed < 100) {
        verdict = core_audit_add(&audit, &GOOD);
        needed++;
    }
    assert_int_equal(verdict, CORE_AUDIT_CLEARED);
    assert_true(needed > CORE_AUDIT_NEW_PASSED && needed < 50);
    assert_false(audit.failed);
}

static void the_operator_can_dismiss(void **state) {
    (void)state;
    struct core_audit audit = {0};
    (void)core_audit_add(&audit, &GOOD);
    (void)core_audit_add(&audit, &BAD);
    (void)core_audit_add(&audit, &BAD);
    core_audit_dismiss(&audit);
    assert_false(audit.failed);
    assert_true(audit.sums[3] == 0.0);
    assert_int_equal(audit.passed, 1);
    assert_int_equal(audit.audits, 3);
}

/* Ratios with the mean of exp 1, as those of honest answers have at worst: normal, mean -v/2, variance v. */
static void honest_answers_hardly_ever_fail(void **state) {
    (void)state;
    struct random_source source = {.state = 42};
    int failures = 0;
    for (int device = 0; device < 200; device++) {
        struct core_audit audit = {0};
        for (int i = 0; i < 1000; i++) {
            struct core_audit_found one = {.tokens = 100};
            for (int k = 0; k < CORE_AUDIT_SUMS; k++) {
                double normal = -6;
                for (int n = 0; n < 12; n++) {
                    normal += (double)random_below(&source, 1000000) / 1e6;
                }
                one.ratios[k] = -0.5 + normal;
            }
            failures += core_audit_add(&audit, &one) == CORE_AUDIT_FAILED;
        }
    }
    assert_true(failures <= 2);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_adds_at_most_eight),
        cmocka_unit_test(good_answers_of_before_do_not_hide_bad_ones),
        cmocka_unit_test(cheating_in_some_answers_only_adds_up),
        cmocka_unit_test(two_scorers_must_agree_on_what_is_worse),
        cmocka_unit_test(each_sum_can_fail),
        cmocka_unit_test(no_numbers_say_nothing),
        cmocka_unit_test(short_answers_are_not_passed_but_can_fail),
        cmocka_unit_test(a_device_that_lies_in_short_answers_only_is_found),
        cmocka_unit_test(requests_for_a_word_are_looked_at_as_of_known_devices),
        cmocka_unit_test(a_contradiction_is_as_bad_as_can_be),
        cmocka_unit_test(new_and_suspected_devices_are_looked_at_always),
        cmocka_unit_test(passed_audits_clear_a_device),
        cmocka_unit_test(the_operator_can_dismiss),
        cmocka_unit_test(honest_answers_hardly_ever_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
