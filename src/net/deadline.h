/* Deadlines by the ten thousand: one heap and one libuv timer for all of them. Made for deadlines that are nearly
 * always moved further away or dropped before they are due: moving one later only stores a number. */
#ifndef NATARIS_NET_DEADLINE_H
#define NATARIS_NET_DEADLINE_H

#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Embedded in what it watches; zeroed but for `expired` before its first use. */
struct deadline {
    void (*expired)(struct deadline *self); /* may set or clear any deadline */
    uint64_t due_ms;                        /* UINT64_MAX: none */
    uint64_t queued_ms;                     /* place in the heap; never later than due_ms */
    size_t position;                        /* in the heap, counted from 1; 0: not in it */
};

struct deadline_heap {
    struct deadline **items;
    size_t count, capacity;
    uv_timer_t timer;
    uint64_t armed_ms; /* 0: not armed */
};

/* Due `after_ms` from now, or up to a 64th later, so that many wake the loop together. */
void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t after_ms);
/* Not due any more; costs nothing. The heap may still refer to it: see deadline_remove. */
void deadline_clear(struct deadline *deadline);
/* Before its memory is freed. */
void deadline_remove(struct deadline_heap *heap, struct deadline *deadline);

/* The loop's (net/loop.h): loop_deadlines. */
void deadline_heap_init(struct deadline_heap *heap, uv_loop_t *loop);
void deadline_heap_close(struct deadline_heap *heap); /* the loop must run once more before its memory is freed */

#endif
