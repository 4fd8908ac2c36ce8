/* A billing period: a calendar month in UTC. */
#ifndef NATARIS_API_PERIOD_H
#define NATARIS_API_PERIOD_H

#include "base/clock.h"
#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

struct period {
    int64_t from_ms, to_ms;                            /* wall clock; `to_ms` is the first moment of the next month */
    char start[CLOCK_TEXT_SIZE], end[CLOCK_TEXT_SIZE]; /* "2026-01-01T00:00:00Z", "2026-01-31T23:59:59Z" */
};

/* The month in which `wall_ms` (of 1970 or later) lies. */
void period_at(int64_t wall_ms, struct period *out);
/* "YYYY-MM", from 1970-01 to 9999-12; false for anything else. */
MUST_CHECK bool period_parse(struct str text, struct period *out);

#endif
