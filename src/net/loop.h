/* The event loop: libuv's, plus what must happen at the end of each iteration. One thread only. */
#ifndef NATARIS_NET_LOOP_H
#define NATARIS_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct loop;

struct loop *loop_new(void); /* also makes the process ignore SIGPIPE */
/* Closes what the loop itself owns and frees it; every connection, server and timer must be closed before. */
void loop_free(struct loop *loop);
uv_loop_t *loop_uv(struct loop *loop);
struct deadline_heap; /* net/deadline.h */
struct deadline_heap *loop_deadlines(struct loop *loop);
/* Until nothing is active or loop_stop. */
void loop_run(struct loop *loop);
void loop_stop(struct loop *loop);
/* Milliseconds, monotonic; cached at the start of the iteration, so reading it costs nothing. */
uint64_t loop_now_ms(const struct loop *loop);

/* A one-shot or repeating timer. The callback may start, stop or free it. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, void (*callback)(void *context), void *context);
void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms);
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer *timer); /* NULL is fine */

/* Runs once at the end of this iteration, after all I/O callbacks: "nothing is freed inside a callback". */
struct loop_deferred {
    void (*run)(struct loop_deferred *self);
    struct loop_deferred *next; /* the loop's */
    bool queued;                /* the loop's */
};
void loop_defer(struct loop *loop, struct loop_deferred *deferred); /* a second call before it ran changes nothing */
/* The same, but after all others have run: for sending what an iteration wrote, so that it leaves in one system
 * call. */
void loop_defer_last(struct loop *loop, struct loop_deferred *deferred);

/* --- For the files of this folder --- */

/* For the end of libuv's callbacks, when no handler is running: an iteration may bring thousands of requests, so what
 * has been deferred is run early when it has become much. The first answers leave sooner, and memory is free for the
 * next. */
void loop_relieve(struct loop *loop);

#endif
