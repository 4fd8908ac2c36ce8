/* The pure core on the gateway's loop: it is told one event after another, and the effects of each are carried out
 * before the next. One thread. */
#ifndef NATARIS_GATEWAY_CORE_LOOP_H
#define NATARIS_GATEWAY_CORE_LOOP_H

#include "core/core.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct core_loop {
    struct core *core; /* owned */
    struct loop *loop; /* borrowed */
    /* Every effect but WAKE, which arms the timer here. `candidates` are those of the same step. */
    void (*carry_out)(void *context, const struct core_effect *effect, const struct core_candidate *candidates);
    void *context;
    struct loop_timer *timer; /* owned */
    bool stepping;            /* effects are being carried out */
    struct core_event *later; /* what the core is told after them; owned */
    size_t later_count, later_capacity;
};

void core_loop_init(struct core_loop *core_loop, struct loop *loop, const struct core_config *config,
                    void (*carry_out)(void *context, const struct core_effect *effect,
                                      const struct core_candidate *candidates),
                    void *context);
/* Also one of zeros. */
void core_loop_clear(struct core_loop *core_loop);
/* Tells the core, and carries out what follows. While effects are carried out the event waits, so it borrows nothing
 * then. */
void core_loop_step(struct core_loop *core_loop, const struct core_event *event);
/* Right after the step under way, or else after the next one. The event borrows nothing. */
void core_loop_step_later(struct core_loop *core_loop, const struct core_event *event);
/* The clock that the core goes by. */
uint64_t core_loop_now_ms(const struct core_loop *core_loop);

#endif
