#include "workflow/number_text.h"

#include <stdlib.h>
#include <string.h>

enum {
    LITERAL_BYTES = 800,
    EXPONENT_MAX = 999,
    EXACT_DIGITS = 30, /* of a fraction that ends */
    SHOWN_DIGITS = 15,
    TEXT_BYTES = 512,
};

static bool is_digit(struct str text, size_t at) {
    return at < text.len && text.data[at] >= '0' && text.data[at] <= '9';
}

/* Digits with at most one point; *behind of them stand behind it. False: too many for the buffer. */
static bool digits_read(struct str text, size_t *at, char digits[LITERAL_BYTES], size_t *count, size_t *behind) {
    bool point = false;
    *count = *behind = 0;
    for (; is_digit(text, *at) || (*at < text.len && text.data[*at] == '.' && !point); (*at)++) {
        if (text.data[*at] == '.') {
            point = true;
        } else if (*count + 1 < LITERAL_BYTES) {
            digits[(*count)++] = text.data[*at];
            *behind = point ? *behind + 1 : 0;
        } else {
            return false;
        }
    }
    digits[*count] = '\0';
    return true;
}

/* "e-3"; without one 0. What is over EXPONENT_MAX stays just over it. */
static long exponent_read(struct str text, size_t *at) {
    long exponent = 0;
    if (*at >= text.len || (text.data[*at] != 'e' && text.data[*at] != 'E')) {
        return 0;
    }
    (*at)++;
    const char sign = *at < text.len ? text.data[*at] : '\0';
    *at += sign == '-' || sign == '+' ? 1 : 0;
    for (; is_digit(text, *at); (*at)++) {
        exponent = exponent > EXPONENT_MAX ? exponent : 10 * exponent + (text.data[*at] - '0');
    }
    return sign == '-' ? -exponent : exponent;
}

bool number_read(struct number *number, struct str text, struct err *err) {
    char digits[LITERAL_BYTES];
    size_t count, at = 0, behind_point;
    const bool fits = digits_read(text, &at, digits, &count, &behind_point);
    long exponent = exponent_read(text, &at);
    if (!fits || labs(exponent) > EXPONENT_MAX) {
        return number_too_large(err);
    }
    if (count == 0 || at < text.len) {
        return err_set(err, ERR_INVALID, "this is no number.");
    }
    number->exact = true;
    mpz_set_str(mpq_numref(number->fraction), digits, 10);
    mpz_set_ui(mpq_denref(number->fraction), 1);
    exponent -= (long)behind_point;
    mpz_t scale;
    mpz_init(scale);
    mpz_ui_pow_ui(scale, 10, (unsigned long)labs(exponent));
    mpz_ptr scaled = exponent < 0 ? mpq_denref(number->fraction) : mpq_numref(number->fraction);
    mpz_mul(scaled, scaled, scale);
    mpz_clear(scale);
    mpq_canonicalize(number->fraction);
    return number_bounded(number, err);
}

/* How many digits stand behind the point of a fraction that ends; -1: it does not, or not within EXACT_DIGITS. */
static int decimals_of(const mpq_t fraction) {
    mpz_t rest;
    int decimals = -1;
    mpz_init(rest);
    for (int i = 0; i <= EXACT_DIGITS && decimals < 0; i++) {
        mpz_ui_pow_ui(rest, 10, (unsigned long)i);
        decimals = mpz_divisible_p(rest, mpq_denref(fraction)) ? i : -1;
    }
    mpz_clear(rest);
    return decimals;
}

static bool exact_write(const struct number *number, struct buf *out) {
    char text[TEXT_BYTES];
    const int decimals = decimals_of(number->fraction);
    if (decimals < 0 || mpz_sizeinbase(mpq_numref(number->fraction), 10) > NUMBER_DIGITS_MAX) {
        return false;
    }
    mpz_t digits;
    mpz_init(digits);
    mpz_ui_pow_ui(digits, 10, (unsigned long)decimals);
    mpz_mul(digits, digits, mpq_numref(number->fraction));
    mpz_divexact(digits, digits, mpq_denref(number->fraction));
    const bool negative = mpz_sgn(digits) < 0;
    mpz_abs(digits, digits);
    const size_t count = mpz_sizeinbase(digits, 10);
    const bool fits = count + 2 <= sizeof(text) && (decimals == 0 || count <= EXACT_DIGITS);
    if (fits) {
        mpz_get_str(text, 10, digits);
        const size_t len = strlen(text), behind = (size_t)decimals;
        buf_append_cstr(out, negative ? "-" : "");
        if (len <= behind) {
            buf_append_cstr(out, "0.");
            for (size_t i = len; i < behind; i++) {
                buf_append_cstr(out, "0");
            }
            buf_append_cstr(out, text);
        } else {
            buf_append(out, text, len - behind);
            buf_append_cstr(out, behind > 0 ? "." : "");
            buf_append_cstr(out, text + len - behind);
        }
    }
    mpz_clear(digits);
    return fits;
}

void number_write(const struct number *number, struct buf *out) {
    if (number->exact && exact_write(number, out)) {
        return;
    }
    char text[TEXT_BYTES];
    struct number shown;
    number_init(&shown);
    number_set(&shown, number);
    number_real_make(&shown);
    mpfr_snprintf(text, sizeof(text), "%.*Rg", SHOWN_DIGITS, shown.real);
    if (mpfr_regular_p(shown.real) && mpfr_cmpabs_ui(shown.real, UINT64_C(1) << 53) > 0) {
        buf_append_cstr(out, "about ");
    }
    buf_append_cstr(out, strcmp(text, "-0") == 0 ? "0" : text);
    number_clear(&shown);
}
