/* Retention (`--keep-jobs-days`): once an hour the rows of generations that are older than that are rolled up, a few at
 * a time with rests between, so that no settlement waits for it. */
#ifndef NATARIS_GATEWAY_RETENTION_H
#define NATARIS_GATEWAY_RETENTION_H

#include "net/loop.h"
#include "store/store.h"

enum { RETENTION_DAYS_MAX = 36500 };

struct retention {
    struct store *store; /* borrowed */
    struct loop_timer *timer;
    uint32_t days;
    int64_t after;   /* where the last step has ended; 0: at the oldest */
    int64_t steps;   /* of this round */
    uint64_t rounds; /* that have ended */
};

/* After store_start. `days` 0: everything is kept, and nothing is done. */
void retention_open(struct retention *retention, struct loop *loop, struct store *store, uint32_t days);
/* Begins a round now. */
void retention_begin(struct retention *retention);
/* Before the store is closed; safe on a struct of zeros. */
void retention_stop(struct retention *retention);
/* After the store is closed. */
void retention_clear(struct retention *retention);

#endif
