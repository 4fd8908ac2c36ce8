#include "api/period.h"

#include <stdio.h>

enum { FIRST_YEAR = 1970, LAST_YEAR = 9999, MONTHS = 12, DAY_MS = 24 * 60 * 60 * 1000 };

static unsigned days_in(unsigned year, unsigned month) {
    static const unsigned char days[MONTHS] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap ? 1U : 0U);
}

/* Days from 1970-01-01 to the first of a month. */
static int64_t days_before(unsigned year, unsigned month) {
    unsigned past = year - 1; /* whole years of the Gregorian calendar before this one */
    int64_t days = (int64_t)past * 365 + past / 4 - past / 100 + past / 400 - 719162;
    for (unsigned i = 1; i < month; i++) {
        days += days_in(year, i);
    }
    return days;
}

static void period_set(unsigned year, unsigned month, struct period *out) {
    int64_t first = days_before(year, month);
    unsigned days = days_in(year, month);
    out->from_ms = first * DAY_MS;
    out->to_ms = (first + days) * DAY_MS;
    snprintf(out->start, sizeof(out->start), "%04u-%02u-01T00:00:00Z", year % 10000, month % 100);
    snprintf(out->end, sizeof(out->end), "%04u-%02u-%02uT23:59:59Z", year % 10000, month % 100, days % 100);
}

void period_at(int64_t wall_ms, struct period *out) {
    char text[CLOCK_TEXT_SIZE];
    clock_format_utc(wall_ms, text);
    if (!period_parse((struct str){.data = text, .len = sizeof("YYYY-MM") - 1}, out)) {
        period_set(FIRST_YEAR, 1, out); /* a clock that is nowhere */
    }
}

bool period_parse(struct str text, struct period *out) {
    uint64_t year, month;
    if (text.len != sizeof("YYYY-MM") - 1 || text.data[4] != '-' ||
        !str_parse_u64((struct str){.data = text.data, .len = 4}, LAST_YEAR, &year) ||
        !str_parse_u64((struct str){.data = text.data + 5, .len = 2}, MONTHS, &month) || year < FIRST_YEAR ||
        month < 1) {
        return false;
    }
    period_set((unsigned)year, (unsigned)month, out);
    return true;
}
