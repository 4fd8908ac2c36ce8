#include "webhook/loop_clock.h"

#include "base/clock.h"

static int64_t wall_ms(void *context) {
    (void)context;
    return clock_wall_ms();
}

static uint64_t now_ms(void *context) {
    const struct webhook_loop_clock *self = context;
    return loop_now_ms(self->loop);
}

static void ring_after(void *context, uint64_t after_ms) {
    const struct webhook_loop_clock *self = context;
    loop_timer_start(self->timer, after_ms, 0);
}

void webhook_loop_clock_open(struct webhook_loop_clock *self, struct loop *loop, void (*ring)(void *context),
                             void *context, struct webhook_clock *clock) {
    self->loop = loop;
    self->timer = loop_timer_new(loop, ring, context);
    *clock = (struct webhook_clock){.wall_ms = wall_ms, .now_ms = now_ms, .ring_after = ring_after, .context = self};
}

void webhook_loop_clock_close(struct webhook_loop_clock *self) {
    loop_timer_free(self->timer);
    self->timer = NULL;
}
