#include "gateway/call_rates.h"

#include "base/bucket.h"
#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>

enum { CALL_RATE_PERIOD_MS = 60 * 1000 };

struct call_rate {
    UT_hash_handle hh;
    uint64_t account;
    struct bucket_rate rate;
    struct bucket bucket;
};

static struct call_rate *call_rate_find(const struct call_rates *rates, uint64_t account) {
    struct call_rate *found;
    HASH_FIND(hh, rates->accounts, &account, sizeof(account), found);
    return found;
}

static struct call_rate *call_rate_add(struct call_rates *rates, uint64_t account) {
    struct call_rate *added = MEM_NEW(struct call_rate);
    added->account = account;
    HASH_ADD(hh, rates->accounts, account, sizeof(added->account), added);
    return added;
}

void call_rates_set(struct call_rates *rates, uint64_t account, uint32_t per_minute) {
    struct call_rate *found = call_rate_find(rates, account);
    if (found == NULL) {
        found = call_rate_add(rates, account);
    }
    found->rate = bucket_rate_of(per_minute, CALL_RATE_PERIOD_MS, per_minute);
}

void call_rates_set_if_new(struct call_rates *rates, uint64_t account, uint32_t times, uint64_t period_ms) {
    if (call_rate_find(rates, account) == NULL) {
        call_rate_add(rates, account)->rate = bucket_rate_of(times, period_ms, times);
    }
}

uint64_t call_rates_take(struct call_rates *rates, uint64_t account, uint64_t now_ms) {
    struct call_rate *found = call_rate_find(rates, account);
    if (found == NULL) {
        return 0;
    }
    const uint64_t wait_ms = bucket_wait_ms(&found->bucket, &found->rate, 1, now_ms);
    if (wait_ms == 0) {
        bucket_add(&found->bucket, &found->rate, 1, now_ms);
    }
    return wait_ms;
}

void call_rates_clear(struct call_rates *rates) {
    struct call_rate *rate = rates->accounts;
    HASH_CLEAR(hh, rates->accounts); /* the elements stay linked */
    while (rate != NULL) {
        struct call_rate *next = rate->hh.next;
        free(rate);
        rate = next;
    }
}
