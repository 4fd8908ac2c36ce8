#include "base/bucket.h"

enum { NS_PER_MS = 1000 * 1000 };

struct bucket_rate bucket_rate_of(uint64_t units, uint64_t period_ms, uint64_t burst) {
    if (units == 0) {
        return (struct bucket_rate){0};
    }
    const uint64_t unit_ns = period_ms * NS_PER_MS / units;
    return (struct bucket_rate){.unit_ns = unit_ns > 0 ? unit_ns : 1, .burst_ns = burst * (unit_ns > 0 ? unit_ns : 1)};
}

static uint64_t bucket_level_ns(const struct bucket *bucket, uint64_t now_ms) {
    const uint64_t now_ns = now_ms * NS_PER_MS;
    return bucket->dry_ns > now_ns ? bucket->dry_ns - now_ns : 0;
}

uint64_t bucket_wait_ms(const struct bucket *bucket, const struct bucket_rate *rate, uint64_t units, uint64_t now_ms) {
    const uint64_t level_ns = bucket_level_ns(bucket, now_ms);
    uint64_t wanted_ns = units * rate->unit_ns;
    wanted_ns = wanted_ns < rate->burst_ns ? wanted_ns : rate->burst_ns;
    if (rate->unit_ns == 0 || level_ns + wanted_ns <= rate->burst_ns) {
        return 0;
    }
    return (level_ns + wanted_ns - rate->burst_ns + NS_PER_MS - 1) / NS_PER_MS;
}

void bucket_add(struct bucket *bucket, const struct bucket_rate *rate, uint64_t units, uint64_t now_ms) {
    if (rate->unit_ns > 0) {
        bucket->dry_ns = now_ms * NS_PER_MS + bucket_level_ns(bucket, now_ms) + units * rate->unit_ns;
    }
}

void bucket_return(struct bucket *bucket, const struct bucket_rate *rate, uint64_t units) {
    const uint64_t returned_ns = units * rate->unit_ns;
    bucket->dry_ns = bucket->dry_ns > returned_ns ? bucket->dry_ns - returned_ns : 0;
}

bool bucket_is_empty(const struct bucket *bucket, uint64_t now_ms) {
    return bucket_level_ns(bucket, now_ms) == 0;
}
