/* How many requests of any kind each account may send in a minute: reading costs too. The core has a rate of its own
 * for generations. */
#ifndef NATARIS_GATEWAY_CALL_RATES_H
#define NATARIS_GATEWAY_CALL_RATES_H

#include <stdint.h>

struct call_rate;

struct call_rates { /* zeroed at first */
    struct call_rate *accounts;
};

/* 0: no limit. It is kept for as long as the gateway runs, like all that is known of an account. */
void call_rates_set(struct call_rates *rates, uint64_t account, uint32_t per_minute);
/* The same in another time, and only of an account that was never set: what it has used stays. */
void call_rates_set_if_new(struct call_rates *rates, uint64_t account, uint32_t times, uint64_t period_ms);
/* 0: one more may come, and is counted; else in so many ms. Of an account that was never set: 0. */
uint64_t call_rates_take(struct call_rates *rates, uint64_t account, uint64_t now_ms);
void call_rates_clear(struct call_rates *rates);

#endif
