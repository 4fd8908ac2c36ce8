#include "grammar/multiple.h"

#include <inttypes.h>

static int64_t floor_to(int64_t value, int64_t step) {
    const int64_t rest = value % step;
    return value - rest - (rest < 0 ? step : 0);
}

/* The first multiple from `value` on. */
static int64_t ceil_to(int64_t value, int64_t step) {
    return -floor_to(-value, step);
}

bool multiple_is_within(int64_t step, const struct number_range *range) {
    return !range->has_least || !range->has_most || ceil_to(range->least, step) <= range->most;
}

/* One by one. */
static bool append_listed(struct buf *body, int64_t step, const struct number_range *range) {
    const int64_t first = ceil_to(range->least, step), last = floor_to(range->most, step);
    if ((last - first) / step >= MULTIPLE_LISTED_MAX) {
        return false;
    }
    buf_append_cstr(body, " (");
    for (int64_t value = first; value <= last; value += step) {
        buf_append_format(body, "%s\"%" PRId64 "\"", value == first ? "" : " | ", value);
    }
    buf_append_cstr(body, ")");
    return true;
}

/* The least power of ten, and its exponent, that `step` divides: its multiples are told by so many last digits. */
static bool find_power(int64_t step, int64_t *power, int *digits) {
    *power = 1;
    for (*digits = 0; *digits < NUMBER_DIGITS_MAX; (*digits)++, *power *= 10) {
        if (*power % step == 0) {
            return *power / step <= MULTIPLE_LISTED_MAX;
        }
    }
    return false;
}

/* Those above 0: the short ones, and any digits with such last ones as they have. */
static void append_positive(struct buf *body, int64_t step, int64_t power, int digits) {
    buf_append_cstr(body, " (");
    for (int64_t value = step; value < power; value += step) {
        buf_append_format(body, "\"%" PRId64 "\" | ", value);
    }
    buf_append_format(body, "[1-9] [0-9]{0,%d} (", NUMBER_DIGITS_MAX - 1 - digits);
    for (int64_t value = 0; value < power; value += step) {
        buf_append_format(body, "%s\"%0*" PRId64 "\"", value == 0 ? "" : " | ", digits, value);
    }
    buf_append_cstr(body, "))");
}

bool multiple_append(struct buf *body, int64_t step, const struct number_range *range) {
    int64_t power;
    int digits;
    if (range->has_least && range->has_most && append_listed(body, step, range)) {
        return true;
    }
    const bool negative = !range->has_least, zero = negative || range->least <= 0;
    if (range->has_most ||
        (range->has_least && ceil_to(range->least, step) != 0 && ceil_to(range->least, step) != step) ||
        !find_power(step, &power, &digits)) {
        return false;
    }
    buf_append_cstr(body, zero ? " (\"0\" |" : " (");
    buf_append_cstr(body, negative ? " \"-\"?" : "");
    append_positive(body, step, power, digits);
    buf_append_cstr(body, ")");
    return true;
}
