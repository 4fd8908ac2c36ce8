#include "link/watch.h"

#include <utlist.h>

enum { LOOKS_PER_PING = 2 };

static uint64_t look_interval(const struct link_watch *watch) {
    const uint64_t interval = watch->ping_ms / LOOKS_PER_PING;
    return interval > 0 ? interval : 1;
}

static uint64_t later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

static uint64_t since(uint64_t then, uint64_t now) {
    return now > then ? now - then : 0;
}

static void look_at(struct link_watch *watch, struct link_watched *link, uint64_t now) {
    const uint64_t quiet_ms = since(later(link->heard_ms, link->from_ms), now);
    if (quiet_ms >= watch->ping_ms && since(link->pinged_ms, now) >= watch->ping_ms) {
        link->pinged_ms = now;
        watch->events->ping(link->link);
    }
    if (quiet_ms >= watch->silence_ms && !link->silent) {
        link->silent = true;
        watch->events->on_silent(link->link);
    }
}

/* When the loop itself was held up, what the devices said in the meantime is still unread: timers come before reading.
 * They get a fresh period, so that a gateway that was stopped or starved does not take all devices for dead. */
static void look(void *context) {
    struct link_watch *watch = context;
    const uint64_t now = loop_now_ms(watch->loop), interval = look_interval(watch);
    const bool held_up = since(watch->due_ms, now) >= interval;
    for (struct link_watched *link = watch->first; link != NULL; link = watch->next) {
        watch->next = link->next;
        if (held_up) {
            link->from_ms = now;
        }
        look_at(watch, link, now);
    }
    watch->next = NULL;
    watch->due_ms = now + interval;
    if (watch->first != NULL) {
        loop_timer_start(watch->timer, interval, 0);
    }
}

void link_watch_init(struct link_watch *watch, struct loop *loop, const struct link_watch_events *events,
                     uint32_t ping_ms, uint32_t silence_ms) {
    *watch = (struct link_watch){.loop = loop, .events = events, .ping_ms = ping_ms, .silence_ms = silence_ms};
    watch->timer = loop_timer_new(loop, look, watch);
}

void link_watch_clear(struct link_watch *watch) {
    loop_timer_free(watch->timer);
    watch->timer = NULL;
}

void link_watch_add(struct link_watch *watch, struct link_watched *link) {
    if (link->watched || watch->silence_ms == 0) {
        return;
    }
    const uint64_t now = loop_now_ms(watch->loop);
    if (watch->first == NULL) {
        watch->due_ms = now + look_interval(watch);
        loop_timer_start(watch->timer, look_interval(watch), 0);
    }
    link->watched = true;
    link->from_ms = now;
    DL_APPEND(watch->first, link);
}

void link_watch_remove(struct link_watch *watch, struct link_watched *link) {
    if (!link->watched) {
        return;
    }
    if (watch->next == link) {
        watch->next = link->next;
    }
    link->watched = false;
    DL_DELETE(watch->first, link);
    if (watch->first == NULL) {
        loop_timer_stop(watch->timer);
    }
}

void link_watch_heard(struct link_watch *watch, struct link_watched *link) {
    link->heard_ms = loop_now_ms(watch->loop);
    if (link->silent) {
        link->silent = false;
        watch->events->on_alive(link->link);
    }
}
