/* Requests per minute, as a bucket that leaks. */
#ifndef NATARIS_CORE_RATE_H
#define NATARIS_CORE_RATE_H

#include <stdint.h>

struct core_rate {
    uint32_t limit; /* 0: none */
    uint64_t
        used; /* at `at_ms`, in parts: CORE_RATE_REQUEST is one request, and `limit` of them leak in a millisecond */
    uint64_t at_ms;
};
#define CORE_RATE_REQUEST UINT64_C(60000)

void core_rate_set_limit(struct core_rate *rate, uint32_t limit, uint64_t now_ms);
uint64_t core_rate_wait_ms(const struct core_rate *rate, uint64_t now_ms); /* 0: a request may come now */
void core_rate_take(struct core_rate *rate, uint64_t now_ms);              /* one that may */
uint32_t core_rate_remaining(const struct core_rate *rate, uint64_t now_ms);
uint64_t core_rate_reset_ms(const struct core_rate *rate, uint64_t now_ms);

#endif
