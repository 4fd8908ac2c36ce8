/* The query of a URL, as routes with lists read it. The first byte says how large the place for a value is. Properties:
 * a value is within the query; what is decoded fits and has lost nothing but percent signs; a period is whole months,
 * one behind the other, and reads as it was written. */
#include "api/period.h"
#include "api/query.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(bool holds) {
    if (!holds) {
        abort();
    }
}

static void check_decoded(struct str value, size_t room) {
    char *place = malloc(room + 1); /* of its own, so that a byte too many is seen */
    struct str decoded, again;
    check(place != NULL);
    if (query_decode(value, place, room, &decoded)) {
        check(decoded.len <= room && decoded.len <= value.len);
        check(decoded.len == 0 || decoded.data == place);
        check(3 * decoded.len >= value.len);
        if (memchr(value.data, '%', value.len) == NULL && memchr(value.data, '+', value.len) == NULL) {
            check(str_equal(decoded, value));
        }
        char *smaller = malloc(decoded.len + 1);
        check(smaller != NULL && query_decode(value, smaller, decoded.len, &again) && again.len == decoded.len);
        check(decoded.len == 0 || !query_decode(value, smaller, decoded.len - 1, &again));
        free(smaller);
    }
    free(place);
}

static void check_period(struct str value) {
    struct period period, around;
    char month[8];
    if (!period_parse(value, &period)) {
        return;
    }
    check(value.len == 7 && period.from_ms >= 0 && period.to_ms > period.from_ms);
    const int64_t days = (period.to_ms - period.from_ms) / (24 * 3600 * INT64_C(1000));
    check(days >= 28 && days <= 31);
    period_at(period.from_ms, &around);
    check(around.from_ms == period.from_ms && around.to_ms == period.to_ms);
    period_at(period.to_ms - 1, &around);
    check(around.from_ms == period.from_ms);
    snprintf(month, sizeof(month), "%.7s", period.start);
    check(str_equal_cstr(value, month));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const NAMES[] = {"limit", "after", "period", "key", "status", ""};
    if (size == 0) {
        return 0;
    }
    char *copy = malloc(size); /* at least one byte */
    check(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    const struct str query = {copy, size - 1};
    for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
        struct str value;
        if (query_find(query, NAMES[i], &value)) {
            check(value.len == 0 || (value.data >= query.data && value.data + value.len <= query.data + query.len));
            check(value.len == 0 || memchr(value.data, '&', value.len) == NULL);
            check_decoded(value, data[0] % 64);
            check_period(value);
        }
    }
    check_decoded(query, data[0]);
    check_period(query);
    free(copy);
    return 0;
}
