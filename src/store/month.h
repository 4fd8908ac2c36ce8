/* Calendar months in UTC, by number: what usage and earnings are summed up by. */
#ifndef NATARIS_STORE_MONTH_H
#define NATARIS_STORE_MONTH_H

#include <stdint.h>

/* Months since January 1970, which is 0; before that negative. `wall_ms` is any number of milliseconds since 1970. */
int64_t store_month_of(int64_t wall_ms);
/* The first millisecond of that month. `month` is one that store_month_of gives. */
int64_t store_month_start(int64_t month);

#endif
