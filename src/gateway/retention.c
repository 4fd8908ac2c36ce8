#include "gateway/retention.h"

#include "base/clock.h"
#include "base/log.h"
#include "store/generations.h"
#include "store/owed.h"

enum {
    RETENTION_FIRST_MS = 5 * 1000, /* after the start, which has enough to do */
    RETENTION_ROUND_MS = 60 * 60 * 1000,
    RETENTION_REST_MS = 20, /* ten times what a step takes of the writer's time */
};
#define DAY_MS (INT64_C(24) * 60 * 60 * 1000)

static void on_step(void *context, int64_t next, const struct err *err) {
    struct retention *retention = context;
    if (retention->days == 0) { /* it was stopped meanwhile */
        return;
    }
    retention->after = next;
    retention->steps++;
    retention->rounds += next == 0;
    if (err != NULL) {
        LOG_WARN_EVENT("retention.failed", LOG_TEXT("error", err->message));
    } else if (next == 0 && retention->steps > 1) {
        LOG_INFO_EVENT("retention.done", LOG_INT("days", retention->days), LOG_INT("steps", retention->steps));
    }
    loop_timer_start(retention->timer, next != 0 ? RETENTION_REST_MS : RETENTION_ROUND_MS, 0);
}

static void step_due(void *context) {
    struct retention *retention = context;
    const int64_t now_ms = clock_wall_ms();
    /* What is not ripe yet may still have to be taken into escrow. */
    const uint32_t hold_days = store_hold_days(retention->store);
    const int64_t days = retention->days > hold_days ? retention->days : hold_days;
    const struct store_roll_up step = {
        .before_ms = now_ms - days * DAY_MS, .now_ms = now_ms, .after = retention->after};
    retention->steps = retention->after == 0 ? 0 : retention->steps;
    store_generations_roll_up(retention->store, &step, on_step, retention);
}

void retention_begin(struct retention *retention) {
    loop_timer_start(retention->timer, 0, 0);
}

void retention_open(struct retention *retention, struct loop *loop, struct store *store, uint32_t days) {
    *retention = (struct retention){.store = store, .days = days, .timer = loop_timer_new(loop, step_due, retention)};
    if (days > 0) {
        loop_timer_start(retention->timer, RETENTION_FIRST_MS, 0);
    }
}

void retention_stop(struct retention *retention) {
    retention->days = 0;
    if (retention->timer != NULL) {
        loop_timer_stop(retention->timer);
    }
}

void retention_clear(struct retention *retention) {
    loop_timer_free(retention->timer);
    *retention = (struct retention){0};
}
