/* How often something may happen: a leaky bucket, kept as one number, the time at which it will have run dry (the
 * generic cell rate algorithm, ITU-T I.371). Pure: the time is handed in, monotonic. */
#ifndef NATARIS_BASE_BUCKET_H
#define NATARIS_BASE_BUCKET_H

#include <stdbool.h>
#include <stdint.h>

struct bucket_rate {
    uint64_t unit_ns;  /* in which one unit leaks; 0: no limit */
    uint64_t burst_ns; /* what the bucket holds */
};

/* `units` in each `period_ms`, and `burst` at once. No units: no limit. */
struct bucket_rate bucket_rate_of(uint64_t units, uint64_t period_ms, uint64_t burst);

/* Empty when zeroed. */
struct bucket {
    uint64_t dry_ns;
};

/* 0: so many units have room now; else the ms until they have. More than the burst is taken for the burst. */
uint64_t bucket_wait_ms(const struct bucket *bucket, const struct bucket_rate *rate, uint64_t units, uint64_t now_ms);
/* They are in, whether they had room or not. */
void bucket_add(struct bucket *bucket, const struct bucket_rate *rate, uint64_t units, uint64_t now_ms);
/* They are out again. */
void bucket_return(struct bucket *bucket, const struct bucket_rate *rate, uint64_t units);
bool bucket_is_empty(const struct bucket *bucket, uint64_t now_ms);

#endif
