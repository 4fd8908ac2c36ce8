#include "workflow/number.h"

#include <stdint.h>

enum {
    REAL_BITS = 192,
    REAL_EXPONENT_MAX = 3400, /* of two: about 10^1023; what a number may have on the way to its result */
    FACTORIAL_MAX = 1000,     /* of what is looked at: over NUMBER_DIGITS_MAX long before */
};

void number_init(struct number *number) {
    number->exact = true;
    mpq_init(number->fraction);
    mpfr_init2(number->real, REAL_BITS);
}

void number_clear(struct number *number) {
    mpq_clear(number->fraction);
    mpfr_clear(number->real);
}

void number_set(struct number *number, const struct number *from) {
    number->exact = from->exact;
    mpq_set(number->fraction, from->fraction);
    mpfr_set(number->real, from->real, MPFR_RNDN);
}

void number_set_long(struct number *number, long value) {
    number->exact = true;
    mpq_set_si(number->fraction, value, 1);
}

void number_set_pi(struct number *number) {
    number->exact = false;
    mpfr_const_pi(number->real, MPFR_RNDN);
}

void number_set_e(struct number *number) {
    number->exact = false;
    mpfr_set_ui(number->real, 1, MPFR_RNDN);
    mpfr_exp(number->real, number->real, MPFR_RNDN);
}

/* --- Bounds --- */

bool number_too_large(struct err *err) {
    return err_set(err, ERR_TOO_LARGE, "the numbers are too large: at most %d digits.", NUMBER_DIGITS_MAX);
}

static size_t fraction_bits(const mpq_t fraction) {
    return mpz_sizeinbase(mpq_numref(fraction), 2) + mpz_sizeinbase(mpq_denref(fraction), 2);
}

bool number_is_whole(const struct number *number) {
    return number->exact && mpz_cmp_ui(mpq_denref(number->fraction), 1) == 0;
}

static bool is_zero(const struct number *number) {
    return number->exact ? mpq_sgn(number->fraction) == 0 : mpfr_zero_p(number->real) != 0;
}

void number_real_make(struct number *number) {
    if (number->exact) {
        mpfr_set_q(number->real, number->fraction, MPFR_RNDN);
        number->exact = false;
    }
}

/* What came out is a number of a size that may be. */
bool number_bounded(struct number *number, struct err *err) {
    if (number->exact) {
        if (fraction_bits(number->fraction) > NUMBER_BITS_MAX) {
            return number_too_large(err);
        }
        return !number_is_whole(number) || mpz_sizeinbase(mpq_numref(number->fraction), 10) <= NUMBER_DIGITS_MAX
                   ? true
                   : number_too_large(err);
    }
    if (mpfr_nan_p(number->real)) {
        return err_set(err, ERR_INVALID, "this has no result.");
    }
    if (mpfr_inf_p(number->real) || (mpfr_regular_p(number->real) && mpfr_get_exp(number->real) > REAL_EXPONENT_MAX)) {
        return number_too_large(err);
    }
    if (mpfr_regular_p(number->real) && mpfr_get_exp(number->real) < -REAL_EXPONENT_MAX) {
        mpfr_set_zero(number->real, 1);
    }
    return true;
}

/* --- Two numbers --- */

static void floor_fraction(mpq_t fraction) {
    mpz_fdiv_q(mpq_numref(fraction), mpq_numref(fraction), mpq_denref(fraction));
    mpz_set_ui(mpq_denref(fraction), 1);
}

/* a - b * floor(a / b) */
static void remainder_fraction(mpq_t a, const mpq_t b) {
    mpq_t times;
    mpq_init(times);
    mpq_div(times, a, b);
    floor_fraction(times);
    mpq_mul(times, times, b);
    mpq_sub(a, a, times);
    mpq_clear(times);
}

/* A whole exponent: by the numerator's and the denominator's own. False: too large, and nothing was computed. */
static bool power_fraction(mpq_t base, const mpz_t exponent, struct err *err) {
    const int whole_one = mpz_cmpabs_ui(mpq_numref(base), 1) <= 0 && mpz_cmp_ui(mpq_denref(base), 1) == 0;
    if (whole_one) { /* -1, 0, 1 */
        if (mpz_sgn(exponent) == 0 || (mpq_sgn(base) < 0 && mpz_even_p(exponent))) {
            mpq_set_si(base, 1, 1);
        }
        return true;
    }
    if (mpz_cmpabs_ui(exponent, NUMBER_BITS_MAX) > 0) {
        return number_too_large(err);
    }
    const unsigned long times = mpz_get_ui(exponent); /* of the absolute value */
    if ((fraction_bits(base) - 1) * times > 2 * NUMBER_BITS_MAX) {
        return number_too_large(err);
    }
    mpz_pow_ui(mpq_numref(base), mpq_numref(base), times);
    mpz_pow_ui(mpq_denref(base), mpq_denref(base), times);
    if (mpz_sgn(exponent) < 0) {
        mpq_inv(base, base);
    }
    return true;
}

static bool power(struct number *a, const struct number *b, struct err *err) {
    const bool negative = b->exact ? mpq_sgn(b->fraction) < 0 : mpfr_sgn(b->real) < 0;
    if (is_zero(a) && negative) {
        return err_set(err, ERR_INVALID, "a division by zero has no result.");
    }
    if (a->exact && number_is_whole(b)) {
        return power_fraction(a->fraction, mpq_numref(b->fraction), err);
    }
    struct number exponent;
    number_init(&exponent);
    number_set(&exponent, b);
    number_real_make(&exponent);
    number_real_make(a);
    mpfr_pow(a->real, a->real, exponent.real, MPFR_RNDN);
    number_clear(&exponent);
    return true;
}

static bool whole_operate(enum number_operator what, struct number *a, const struct number *b, struct err *err) {
    if (!number_is_whole(a) || !number_is_whole(b)) {
        return err_set(err, ERR_INVALID, "gcd and lcm are of whole numbers.");
    }
    mpz_ptr out = mpq_numref(a->fraction);
    if (what == NUMBER_GCD) {
        mpz_gcd(out, out, mpq_numref(b->fraction));
    } else {
        mpz_lcm(out, out, mpq_numref(b->fraction));
    }
    return true;
}

static void exact_operate(enum number_operator what, struct number *a, const struct number *b) {
    switch (what) {
    case NUMBER_ADD:
        mpq_add(a->fraction, a->fraction, b->fraction);
        break;
    case NUMBER_SUBTRACT:
        mpq_sub(a->fraction, a->fraction, b->fraction);
        break;
    case NUMBER_MULTIPLY:
        mpq_mul(a->fraction, a->fraction, b->fraction);
        break;
    case NUMBER_DIVIDE:
    case NUMBER_FLOOR_DIVIDE:
        mpq_div(a->fraction, a->fraction, b->fraction);
        break;
    case NUMBER_REMAINDER:
        remainder_fraction(a->fraction, b->fraction);
        break;
    case NUMBER_POWER:
    case NUMBER_GCD:
    case NUMBER_LCM:
        break;
    }
    if (what == NUMBER_FLOOR_DIVIDE) {
        floor_fraction(a->fraction);
    }
}

static void real_operate(enum number_operator what, mpfr_t a, const mpfr_t b) {
    mpfr_t times;
    switch (what) {
    case NUMBER_ADD:
        mpfr_add(a, a, b, MPFR_RNDN);
        break;
    case NUMBER_SUBTRACT:
        mpfr_sub(a, a, b, MPFR_RNDN);
        break;
    case NUMBER_MULTIPLY:
        mpfr_mul(a, a, b, MPFR_RNDN);
        break;
    case NUMBER_DIVIDE:
        mpfr_div(a, a, b, MPFR_RNDN);
        break;
    case NUMBER_FLOOR_DIVIDE:
        mpfr_div(a, a, b, MPFR_RNDN);
        mpfr_floor(a, a);
        break;
    case NUMBER_REMAINDER:
        mpfr_init2(times, REAL_BITS);
        mpfr_div(times, a, b, MPFR_RNDN);
        mpfr_floor(times, times);
        mpfr_mul(times, times, b, MPFR_RNDN);
        mpfr_sub(a, a, times, MPFR_RNDN);
        mpfr_clear(times);
        break;
    case NUMBER_POWER:
    case NUMBER_GCD:
    case NUMBER_LCM:
        break;
    }
}

bool number_operate(enum number_operator what, struct number *a, const struct number *b, struct err *err) {
    const bool divides = what == NUMBER_DIVIDE || what == NUMBER_FLOOR_DIVIDE || what == NUMBER_REMAINDER;
    if (divides && is_zero(b)) {
        return err_set(err, ERR_INVALID, "a division by zero has no result.");
    }
    if (what == NUMBER_POWER) {
        return power(a, b, err) && number_bounded(a, err);
    }
    if (what == NUMBER_GCD || what == NUMBER_LCM) {
        return whole_operate(what, a, b, err) && number_bounded(a, err);
    }
    if (a->exact && b->exact) {
        exact_operate(what, a, b); /* both are bounded, so is the time for this */
        return number_bounded(a, err);
    }
    struct number other;
    number_init(&other);
    number_set(&other, b);
    number_real_make(&other);
    number_real_make(a);
    real_operate(what, a->real, other.real);
    number_clear(&other);
    return number_bounded(a, err);
}

int number_compare(const struct number *a, const struct number *b) {
    if (a->exact && b->exact) {
        return mpq_cmp(a->fraction, b->fraction);
    }
    struct number left, right;
    number_init(&left);
    number_init(&right);
    number_set(&left, a);
    number_set(&right, b);
    number_real_make(&left);
    number_real_make(&right);
    const int order = mpfr_cmp(left.real, right.real);
    number_clear(&left);
    number_clear(&right);
    return order;
}

/* --- One number --- */

/* The root of a fraction whose numerator and denominator have whole ones; else nothing has changed. */
static bool root_exact(struct number *a, unsigned long degree) {
    mpq_t root;
    mpq_init(root);
    const bool found = a->exact && (mpq_sgn(a->fraction) >= 0 || degree == 3) &&
                       mpz_root(mpq_numref(root), mpq_numref(a->fraction), degree) != 0 &&
                       mpz_root(mpq_denref(root), mpq_denref(a->fraction), degree) != 0;
    if (found) {
        mpq_set(a->fraction, root);
    }
    mpq_clear(root);
    return found;
}

static bool factorial(struct number *a, struct err *err) {
    if (!number_is_whole(a) || mpq_sgn(a->fraction) < 0) {
        return err_set(err, ERR_INVALID, "a factorial is of a whole number that is not negative.");
    }
    if (mpz_cmp_ui(mpq_numref(a->fraction), FACTORIAL_MAX) > 0) {
        return number_too_large(err);
    }
    mpz_fac_ui(mpq_numref(a->fraction), mpz_get_ui(mpq_numref(a->fraction)));
    return true;
}

static void whole_make(enum number_function what, struct number *a) {
    if (!a->exact) { /* within its bits it is a fraction, too */
        mpfr_get_q(a->fraction, a->real);
        a->exact = true;
    }
    mpz_ptr top = mpq_numref(a->fraction), bottom = mpq_denref(a->fraction);
    if (what == NUMBER_ROUND) { /* half of the denominator more, away from zero */
        const bool negative = mpz_sgn(top) < 0;
        mpz_abs(top, top);
        mpz_mul_ui(top, top, 2);
        mpz_add(top, top, bottom);
        mpz_mul_ui(bottom, bottom, 2);
        mpz_fdiv_q(top, top, bottom);
        if (negative) {
            mpz_neg(top, top);
        }
    } else if (what == NUMBER_FLOOR) {
        mpz_fdiv_q(top, top, bottom);
    } else if (what == NUMBER_CEIL) {
        mpz_cdiv_q(top, top, bottom);
    } else {
        mpz_tdiv_q(top, top, bottom);
    }
    mpz_set_ui(bottom, 1);
}

static void real_apply(enum number_function what, mpfr_t a) {
    typedef int real_function(mpfr_t, const __mpfr_struct *, mpfr_rnd_t);
    static real_function *const functions[] = {
        [NUMBER_SQRT] = mpfr_sqrt, [NUMBER_CBRT] = mpfr_cbrt,   [NUMBER_EXP] = mpfr_exp,   [NUMBER_LN] = mpfr_log,
        [NUMBER_LOG2] = mpfr_log2, [NUMBER_LOG10] = mpfr_log10, [NUMBER_SIN] = mpfr_sin,   [NUMBER_COS] = mpfr_cos,
        [NUMBER_TAN] = mpfr_tan,   [NUMBER_ASIN] = mpfr_asin,   [NUMBER_ACOS] = mpfr_acos, [NUMBER_ATAN] = mpfr_atan,
        [NUMBER_SINH] = mpfr_sinh, [NUMBER_COSH] = mpfr_cosh,   [NUMBER_TANH] = mpfr_tanh, [NUMBER_DEGREES] = NULL,
    };
    if (what == NUMBER_DEGREES) {
        mpfr_t pi;
        mpfr_init2(pi, REAL_BITS);
        mpfr_const_pi(pi, MPFR_RNDN);
        mpfr_mul(a, a, pi, MPFR_RNDN);
        mpfr_div_ui(a, a, 180, MPFR_RNDN);
        mpfr_clear(pi);
    } else {
        functions[what](a, a, MPFR_RNDN);
    }
}

/* exp(0), sin(0) and the like stay exact where the result is 0 or 1. */
static void snap(struct number *a) {
    static const int near_bits = 150;
    mpfr_t whole;
    mpfr_init2(whole, REAL_BITS);
    mpfr_round(whole, a->real);
    const bool small = mpfr_cmpabs_ui(whole, 1) <= 0;
    mpfr_sub(whole, a->real, whole, MPFR_RNDN);
    if (small && (mpfr_zero_p(whole) || mpfr_get_exp(whole) < -near_bits)) {
        const long value = mpfr_get_si(a->real, MPFR_RNDN);
        number_set_long(a, value);
    }
    mpfr_clear(whole);
}

bool number_apply(enum number_function what, struct number *a, struct err *err) {
    switch (what) {
    case NUMBER_NEGATE:
        mpq_neg(a->fraction, a->fraction);
        mpfr_neg(a->real, a->real, MPFR_RNDN);
        return true;
    case NUMBER_ABS:
        mpq_abs(a->fraction, a->fraction);
        mpfr_abs(a->real, a->real, MPFR_RNDN);
        return true;
    case NUMBER_FACTORIAL:
        return factorial(a, err) && number_bounded(a, err);
    case NUMBER_FLOOR:
    case NUMBER_CEIL:
    case NUMBER_ROUND:
    case NUMBER_TRUNC:
        whole_make(what, a);
        return number_bounded(a, err);
    case NUMBER_SQRT:
    case NUMBER_CBRT:
        if (root_exact(a, what == NUMBER_SQRT ? 2 : 3)) {
            return true;
        }
        break;
    case NUMBER_EXP:
    case NUMBER_LN:
    case NUMBER_LOG2:
    case NUMBER_LOG10:
    case NUMBER_SIN:
    case NUMBER_COS:
    case NUMBER_TAN:
    case NUMBER_ASIN:
    case NUMBER_ACOS:
    case NUMBER_ATAN:
    case NUMBER_SINH:
    case NUMBER_COSH:
    case NUMBER_TANH:
    case NUMBER_DEGREES:
        break;
    }
    number_real_make(a);
    real_apply(what, a->real);
    if (!number_bounded(a, err)) {
        return false;
    }
    snap(a);
    return true;
}
