#include "grammar/number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t GREATEST = INT64_C(999999999999999);

/* --- Choices, each begun by a "|" but the first --- */

struct choices {
    struct buf *body;
    bool any;
};

static void choice_begin(struct choices *choices) {
    buf_append_cstr(choices->body, choices->any ? " |" : "");
    choices->any = true;
}

/* --- Digits --- */

static void append_digits(struct buf *body, char first, char last) {
    if (first == last) {
        buf_append_format(body, " [%c]", first);
    } else {
        buf_append_format(body, " [%c-%c]", first, last);
    }
}

static void append_any_digits(struct buf *body, size_t count) {
    if (count > 0) {
        buf_append_format(body, " [0-9]{%zu}", count);
    }
}

/* From `digits` upwards, of the same length. */
static void append_from(struct buf *body, const char *digits) {
    const size_t rest = strlen(digits) - 1;
    buf_append_cstr(body, " (");
    append_digits(body, digits[0], digits[0]);
    if (rest > 0) {
        append_from(body, digits + 1);
    }
    if (digits[0] < '9') {
        buf_append_cstr(body, " |");
        append_digits(body, (char)(digits[0] + 1), '9');
        append_any_digits(body, rest);
    }
    buf_append_cstr(body, ")");
}

/* Up to `digits`, of the same length; they may begin with zeros. */
static void append_to(struct buf *body, const char *digits) {
    const size_t rest = strlen(digits) - 1;
    buf_append_cstr(body, " (");
    append_digits(body, digits[0], digits[0]);
    if (rest > 0) {
        append_to(body, digits + 1);
    }
    if (digits[0] > '0') {
        buf_append_cstr(body, " |");
        append_digits(body, '0', (char)(digits[0] - 1));
        append_any_digits(body, rest);
    }
    buf_append_cstr(body, ")");
}

/* From `low` to `high`, both of one length. */
static void append_between(struct buf *body, const char *low, const char *high) {
    const size_t rest = strlen(low) - 1;
    if (low[0] == high[0]) {
        append_digits(body, low[0], low[0]);
        if (rest > 0) {
            append_between(body, low + 1, high + 1);
        }
        return;
    }
    if (rest == 0) {
        append_digits(body, low[0], high[0]);
        return;
    }
    buf_append_cstr(body, " (");
    append_digits(body, low[0], low[0]);
    append_from(body, low + 1);
    if (high[0] - low[0] > 1) {
        buf_append_cstr(body, " |");
        append_digits(body, (char)(low[0] + 1), (char)(high[0] - 1));
        append_any_digits(body, rest);
    }
    buf_append_cstr(body, " |");
    append_digits(body, high[0], high[0]);
    append_to(body, high + 1);
    buf_append_cstr(body, ")");
}

/* From `low` to `high`, neither below 0: a choice for each number of digits. */
static void append_whole(struct buf *body, int64_t low, int64_t high) {
    struct choices choices = {.body = body};
    buf_append_cstr(body, " (");
    int64_t power = 10; /* the least number of one more digit */
    while (power <= low) {
        power *= 10;
    }
    while (low <= high) {
        char first[24], last[24];
        snprintf(first, sizeof(first), "%" PRId64, low);
        snprintf(last, sizeof(last), "%" PRId64, high < power ? high : power - 1);
        choice_begin(&choices);
        append_between(body, first, last);
        low = power;
        power *= 10;
    }
    buf_append_cstr(body, ")");
}

/* --- Ranges --- */

/* The part of a range with one sign, as its distance from 0. */
struct side {
    int64_t low, high;
    bool above_low, below_high;
};

static bool side_of(const struct number_range *range, bool negative, struct side *out) {
    const int64_t least = range->has_least ? range->least : -GREATEST, most = range->has_most ? range->most : GREATEST;
    const bool above = range->has_least && range->above_least, below = range->has_most && range->below_most;
    if (!negative) {
        *out = least >= 0 ? (struct side){least, most, above, below} : (struct side){0, most, false, below};
    } else {
        *out = most < 0 ? (struct side){-most, -least, below, above} : (struct side){0, -least, true, above};
    }
    const int64_t room = out->high - out->low;
    return out->high >= 0 && (room > 0 || (room == 0 && !out->above_low && !out->below_high));
}

bool number_range_is_empty(const struct number_range *range) {
    struct side side;
    return !side_of(range, false, &side) && !side_of(range, true, &side);
}

void number_append_integer(struct buf *body, const struct number_range *range) {
    struct choices choices = {.body = body};
    struct side side;
    buf_append_cstr(body, " (");
    for (int negative = 0; negative < 2; negative++) {
        if (!side_of(range, negative != 0, &side) || side.low + side.above_low > side.high - side.below_high) {
            continue;
        }
        choice_begin(&choices);
        buf_append_cstr(body, negative ? " \"-\"" : "");
        append_whole(body, side.low + side.above_low, side.high - side.below_high);
    }
    buf_append_cstr(body, ")");
}

/* So many digits behind the point that a double still tells the number from the bound that it is near. */
static int fraction_digits(int64_t near) {
    enum { DIGITS = 6, DIGITS_OF_LARGE = 1 };
    return near < INT64_C(1000000000) ? DIGITS : DIGITS_OF_LARGE;
}

static void append_real_side(struct choices *choices, const struct side *side, const char *sign) {
    int64_t low = side->low;
    if (side->above_low) { /* just above it */
        if (low < side->high) {
            choice_begin(choices);
            buf_append_format(choices->body, "%s \"%" PRId64 ".\" [0-9]{0,%d} [1-9]", sign, low,
                              fraction_digits(low) - 1);
        }
        low++;
    }
    if (low < side->high) {
        choice_begin(choices);
        buf_append_cstr(choices->body, sign);
        append_whole(choices->body, low, side->high - 1);
        buf_append_format(choices->body, " (\".\" [0-9]{1,%d})?",
                          side->high == GREATEST ? NUMBER_DIGITS_MAX : fraction_digits(side->high));
    }
    if (low <= side->high && !side->below_high) {
        choice_begin(choices);
        buf_append_format(choices->body, "%s \"%" PRId64 "\"", sign, side->high);
    }
}

void number_append_real(struct buf *body, const struct number_range *range) {
    struct choices choices = {.body = body};
    struct side side;
    buf_append_cstr(body, " (");
    if (side_of(range, false, &side)) {
        append_real_side(&choices, &side, "");
    }
    if (side_of(range, true, &side)) {
        append_real_side(&choices, &side, " \"-\"");
    }
    buf_append_cstr(body, ")");
}
