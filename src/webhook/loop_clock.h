/* The sender's clock, and that of a loop as one. */
#ifndef NATARIS_WEBHOOK_LOOP_CLOCK_H
#define NATARIS_WEBHOOK_LOOP_CLOCK_H

#include "net/loop.h"

#include <stdint.h>

/* Time, for those who would rather not wait for it: see webhook_sender_ring. */
struct webhook_clock {
    int64_t (*wall_ms)(void *context);
    uint64_t (*now_ms)(void *context); /* monotonic */
    /* Leads to webhook_sender_ring once, after so long; each call takes the place of the one before. */
    void (*ring_after)(void *context, uint64_t after_ms);
    void *context;
};

struct webhook_loop_clock { /* zeroed: not open */
    struct loop *loop;
    struct loop_timer *timer;
};
/* `clock` borrows it; its ring_after leads to `ring`. */
void webhook_loop_clock_open(struct webhook_loop_clock *self, struct loop *loop, void (*ring)(void *context),
                             void *context, struct webhook_clock *clock);
void webhook_loop_clock_close(struct webhook_loop_clock *self); /* also of one that is not open */

#endif
