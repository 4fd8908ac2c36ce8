#include "base/money.h"

#include <inttypes.h>
#include <stdio.h>

enum {
    NANO_DIGITS = 9,
    EXPONENT_MAX = 1000, /* far beyond any that fits; keeps the sums below small */
};

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

/* Takes digits off the front of *text, appending them to *number; *count is how many there were. */
static bool take_digits(struct str *text, uint64_t *number, int *count) {
    *count = 0;
    while (text->len > 0 && is_digit(text->data[0])) {
        if (*count == EXPONENT_MAX || __builtin_mul_overflow(*number, UINT64_C(10), number) ||
            __builtin_add_overflow(*number, (uint64_t)(text->data[0] - '0'), number)) {
            return false;
        }
        *text = (struct str){text->data + 1, text->len - 1};
        *count += 1;
    }
    return true;
}

static bool take_char(struct str *text, char wanted) {
    const bool found = text->len > 0 && text->data[0] == wanted;
    if (found) {
        *text = (struct str){text->data + 1, text->len - 1};
    }
    return found;
}

/* What follows the digits: nothing, or "e" and a number. */
static bool take_exponent(struct str *text, int *exponent) {
    uint64_t number = 0;
    int digits = 0;
    *exponent = 0;
    if (!take_char(text, 'e') && !take_char(text, 'E')) {
        return true;
    }
    const bool negative = take_char(text, '-');
    if (!negative) {
        (void)take_char(text, '+');
    }
    if (!take_digits(text, &number, &digits) || digits == 0 || number > EXPONENT_MAX) {
        return false;
    }
    *exponent = negative ? -(int)number : (int)number;
    return true;
}

/* number * 10^power, exactly. */
static bool scale(uint64_t *number, int power) {
    for (; power > 0 && *number != 0; power--) {
        if (__builtin_mul_overflow(*number, UINT64_C(10), number)) {
            return false;
        }
    }
    for (; power < 0 && *number != 0; power++) {
        if (*number % 10 != 0) {
            return false;
        }
        *number /= 10;
    }
    return true;
}

bool money_parse_usd(struct str text, int64_t *nano) {
    uint64_t number = 0;
    int whole = 0, fraction = 0, exponent = 0;
    const bool negative = take_char(&text, '-');
    if (!take_digits(&text, &number, &whole) || whole == 0) {
        return false;
    }
    if (take_char(&text, '.') && (!take_digits(&text, &number, &fraction) || fraction == 0)) {
        return false;
    }
    if (!take_exponent(&text, &exponent) || text.len > 0 || !scale(&number, exponent - fraction + NANO_DIGITS)) {
        return false;
    }
    if (number > (uint64_t)INT64_MAX + (negative ? 1 : 0)) {
        return false;
    }
    *nano = negative ? (int64_t)(0 - number) : (int64_t)number;
    return true;
}

const char *money_format_usd(int64_t nano, char out[MONEY_TEXT_SIZE]) {
    const uint64_t size = nano < 0 ? 0 - (uint64_t)nano : (uint64_t)nano;
    const uint64_t unit = (uint64_t)MONEY_NANO_PER_USD;
    int len = snprintf(out, MONEY_TEXT_SIZE, "%s%" PRIu64 ".%09" PRIu64, nano < 0 ? "-" : "", size / unit, size % unit);
    while (out[len - 1] == '0') {
        len--;
    }
    out[out[len - 1] == '.' ? len - 1 : len] = '\0';
    return out;
}
