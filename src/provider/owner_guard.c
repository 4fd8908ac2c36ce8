#include "provider/owner_guard.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"

#include <stdlib.h>
#include <time.h>

enum { LOOK_MS = 2000, REASON_SIZE = 200 };

struct owner_guard {
    struct loop *loop;
    struct owner_limits limits;
    struct owner_guard_config config;
    struct owner_pause by_hand;
    struct device_state state;
    enum link_pause pause;
    uint64_t input_events; /* as of the last look */
    uint64_t input_ms;     /* when they last changed, by the loop's clock; 0: not seen to */
    struct loop_timer *timer;
    struct loop_deferred changed;
    bool looked;
};

static uint16_t minute_of_day(int64_t wall_ms) {
    const time_t now = (time_t)(wall_ms / 1000);
    struct tm local = {0};
    localtime_r(&now, &local);
    return (uint16_t)(local.tm_hour * 60 + local.tm_min);
}

/* Input devices tell only that they were used since the last look. */
static void note_input(struct owner_guard *guard) {
    const uint64_t now_ms = loop_now_ms(guard->loop);
    if (guard->looked && guard->state.input_events != guard->input_events) {
        guard->input_ms = now_ms;
    }
    guard->input_events = guard->state.input_events;
    if (guard->input_ms > 0) {
        const uint32_t idle_s = (uint32_t)((now_ms - guard->input_ms) / 1000);
        guard->state.idle_s = idle_s < guard->state.idle_s ? idle_s : guard->state.idle_s;
    }
}

/* The file is what counts: `provider pause` writes it itself when it does not reach us, such as while we start. A file
 * that cannot be read changes nothing. */
static void look_at_pause_file(struct owner_guard *guard, int64_t now_ms) {
    struct owner_pause found;
    struct err err = {0};
    const bool was_paused = guard->by_hand.paused;
    if (pause_file_read(guard->config.data_folder, &found, NULL)) {
        guard->by_hand = found;
    }
    if (!guard->by_hand.paused || owner_pause_holds(&guard->by_hand, now_ms)) {
        return;
    }
    guard->by_hand = (struct owner_pause){0};
    if (!pause_file_write(guard->config.data_folder, &guard->by_hand, &err) && was_paused) {
        LOG_WARN_EVENT("provider.pause_file", LOG_TEXT("error", err.message)); /* it has ended all the same */
    }
}

enum link_pause owner_guard_look(struct owner_guard *guard) {
    const enum link_heat heat = guard->state.heat;
    const int64_t now_ms = clock_wall_ms();
    device_state_read(&guard->state, guard->config.root);
    note_input(guard);
    look_at_pause_file(guard, now_ms);
    const enum link_pause pause =
        owner_limits_check(&guard->limits, &guard->state, minute_of_day(now_ms), guard->by_hand.paused);
    if (guard->looked && (pause != guard->pause || heat != guard->state.heat)) {
        loop_defer(guard->loop, &guard->changed);
    }
    if (pause != guard->pause) {
        char reason[REASON_SIZE];
        owner_limits_explain(pause, &guard->limits, &guard->state, reason, sizeof(reason));
        LOG_INFO_EVENT("provider.pause", LOG_TEXT("pause", link_pause_name(pause)), LOG_TEXT("reason", reason));
    }
    guard->pause = pause;
    guard->looked = true;
    return pause;
}

static void on_timer(void *context) {
    (void)owner_guard_look(context);
}

static void tell_changed(struct loop_deferred *deferred) {
    struct owner_guard *guard = (struct owner_guard *)((char *)deferred - offsetof(struct owner_guard, changed));
    if (guard->config.on_change != NULL) {
        guard->config.on_change(guard->config.context);
    }
}

static void free_later(struct loop_deferred *deferred) {
    free((char *)deferred - offsetof(struct owner_guard, changed));
}

bool owner_guard_new(struct owner_guard **out, struct loop *loop, const struct owner_guard_config *config,
                     struct err *err) {
    struct owner_guard *guard = MEM_NEW(struct owner_guard);
    guard->loop = loop;
    guard->limits = *config->limits;
    guard->config = *config;
    guard->config.limits = &guard->limits;
    guard->changed.run = tell_changed;
    if (!pause_file_read(config->data_folder, &guard->by_hand, err)) {
        free(guard);
        return false;
    }
    guard->timer = loop_timer_new(loop, on_timer, guard);
    loop_timer_start(guard->timer, LOOK_MS, LOOK_MS);
    (void)owner_guard_look(guard);
    *out = guard;
    return true;
}

void owner_guard_free(struct owner_guard *guard) {
    if (guard == NULL) {
        return;
    }
    loop_timer_free(guard->timer);
    guard->changed.run = free_later; /* it may wait in the loop's list */
    loop_defer(guard->loop, &guard->changed);
}

enum link_pause owner_guard_pause(const struct owner_guard *guard) {
    return guard->pause;
}

const struct device_state *owner_guard_state(const struct owner_guard *guard) {
    return &guard->state;
}

const struct owner_limits *owner_guard_limits(const struct owner_guard *guard) {
    return &guard->limits;
}

const struct owner_pause *owner_guard_by_hand(const struct owner_guard *guard) {
    return &guard->by_hand;
}

void owner_guard_explain(const struct owner_guard *guard, char *out, size_t out_size) {
    owner_limits_explain(guard->pause, &guard->limits, &guard->state, out, out_size);
}

bool owner_guard_set(struct owner_guard *guard, const struct owner_pause *pause, struct err *err) {
    if (!pause_file_write(guard->config.data_folder, pause, err)) {
        return false;
    }
    guard->by_hand = *pause;
    (void)owner_guard_look(guard);
    return true;
}
