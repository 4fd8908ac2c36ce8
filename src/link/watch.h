/* Watches links that have jobs, so that one which says nothing any more is noticed in less than two seconds. A list of
 * them and one timer: idle links cost nothing here. */
#ifndef NATARIS_LINK_WATCH_H
#define NATARIS_LINK_WATCH_H

#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

/* One link. Zeroed: not watched. */
struct link_watched {
    void *link;
    uint64_t heard_ms;           /* when anything came in last; the owner's to set before it is watched */
    bool watched, silent;        /* silent: on_silent was called, on_alive is owed */
    uint64_t from_ms, pinged_ms; /* silence counts from the later of heard_ms and from_ms */
    struct link_watched *prev, *next;
};

struct link_watch_events {
    void (*ping)(void *link);
    /* May watch, unwatch and close any link. */
    void (*on_silent)(void *link);
    void (*on_alive)(void *link);
};

struct link_watch {
    struct loop *loop;
    const struct link_watch_events *events;
    uint32_t ping_ms, silence_ms; /* pinged so often while nothing comes in; silent after so long. 0: never */
    struct link_watched *first;
    struct link_watched *next; /* the one to be looked at next, while they are gone through */
    struct loop_timer *timer;  /* runs while there is one to watch */
    uint64_t due_ms;
};

void link_watch_init(struct link_watch *watch, struct loop *loop, const struct link_watch_events *events,
                     uint32_t ping_ms, uint32_t silence_ms);
void link_watch_clear(struct link_watch *watch); /* nothing may be watched any more */
/* A second call of either changes nothing. */
void link_watch_add(struct link_watch *watch, struct link_watched *link);
void link_watch_remove(struct link_watch *watch, struct link_watched *link);
/* Anything came in: on_alive may follow, which may close the link. */
void link_watch_heard(struct link_watch *watch, struct link_watched *link);

#endif
