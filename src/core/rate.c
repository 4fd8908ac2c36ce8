/* Requests per minute, exactly and in integers.
 *
 * A bucket of `limit` requests that leaks `limit` requests a minute. Counted in parts of which a request has 60,000,
 * `limit` parts leak in each millisecond and nothing is ever rounded; what is rounded up is a wait, to whole
 * milliseconds. The bucket keeps what is used, not what is left, so a higher limit helps at once. */
#include "core/rate.h"

static uint64_t divide_up(uint64_t number, uint64_t by) {
    return number / by + (number % by != 0);
}

static uint64_t rate_capacity(const struct core_rate *rate) {
    return rate->limit * CORE_RATE_REQUEST;
}

static uint64_t rate_used(const struct core_rate *rate, uint64_t now_ms) {
    uint64_t elapsed_ms = now_ms > rate->at_ms ? now_ms - rate->at_ms : 0;
    if (rate->limit == 0 || elapsed_ms >= divide_up(rate->used, rate->limit)) {
        return 0;
    }
    return rate->used - elapsed_ms * rate->limit;
}

void core_rate_set_limit(struct core_rate *rate, uint32_t limit, uint64_t now_ms) {
    uint64_t used = rate_used(rate, now_ms);
    rate->limit = limit;
    rate->used = used < rate_capacity(rate) ? used : rate_capacity(rate); /* a lower limit costs a minute at most */
    rate->at_ms = now_ms;
}

uint64_t core_rate_wait_ms(const struct core_rate *rate, uint64_t now_ms) {
    uint64_t wanted = rate_used(rate, now_ms) + CORE_RATE_REQUEST;
    if (rate->limit == 0 || wanted <= rate_capacity(rate)) {
        return 0;
    }
    return divide_up(wanted - rate_capacity(rate), rate->limit);
}

void core_rate_take(struct core_rate *rate, uint64_t now_ms) {
    if (rate->limit > 0) {
        rate->used = rate_used(rate, now_ms) + CORE_RATE_REQUEST;
        rate->at_ms = now_ms;
    }
}

uint32_t core_rate_remaining(const struct core_rate *rate, uint64_t now_ms) {
    return (uint32_t)((rate_capacity(rate) - rate_used(rate, now_ms)) / CORE_RATE_REQUEST);
}

uint64_t core_rate_reset_ms(const struct core_rate *rate, uint64_t now_ms) {
    return rate->limit == 0 ? 0 : divide_up(rate_used(rate, now_ms), rate->limit);
}
