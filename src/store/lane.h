/* How tasks get from the loop to the threads, and back.
 *
 * A task waits in the lane of its thread, is worked on there, goes to the list of what is done, and is answered and
 * freed on the loop's thread. Nothing else is shared. */
#ifndef NATARIS_STORE_LANE_H
#define NATARIS_STORE_LANE_H

#include "store/limits.h"
#include "store/task.h"

#include <uv.h>

struct store_list {
    struct store_task *first, **end;
};
void store_list_init(struct store_list *list);
void store_list_append(struct store_list *list, struct store_task *task);

enum store_lane_id {
    STORE_LANE_WRITER,
    STORE_LANE_READER, /* short questions, which requests wait for */
    STORE_LANE_LISTER, /* those that may take longer: nobody's list makes the short ones wait */
    STORE_LANES,
};

/* What waits for one thread. Under the mutex but for the thread itself and what is said to be the loop's. */
struct store_lane {
    struct store_list waiting;
    uv_cond_t work;
    bool sleeps;
    uv_thread_t thread;
    size_t outstanding; /* the loop's: tasks that have not been answered */
};

struct store_lanes {
    /* The loop's. */
    bool closed;        /* what comes now is refused */
    size_t outstanding; /* tasks that have not been answered, of all lanes */
    uv_async_t *wake;   /* on the heap of its own: libuv needs it until its close callback */

    /* Shared, under the mutex. */
    uv_mutex_t mutex;
    struct store_lane each[STORE_LANES];
    struct store_list done;
    bool closing;
};
void store_lanes_init(struct store_lanes *lanes);

struct store_thread { /* of one lane */
    void (*run)(void *argument);
    void *argument;
};
/* Starts the threads; `on_done` comes on the loop's thread, with `data` in it, when tasks are done. */
MUST_CHECK bool store_lanes_start(struct store_lanes *lanes, uv_loop_t *loop, uv_async_cb on_done, void *data,
                                  const struct store_thread threads[STORE_LANES], struct err *err);
/* The threads work off what waits, and end. */
void store_lanes_stop(struct store_lanes *lanes);
/* Nothing is outstanding any more. */
void store_lanes_clear(struct store_lanes *lanes);

/* --- On the loop's thread --- */
/* A task that there is no room for comes back as one that is done, with an error. */
void store_lanes_put(struct store_lanes *lanes, struct store_task *task);
/* Takes all that is done; the caller answers and frees each, and says so. */
void store_lanes_collect(struct store_lanes *lanes, struct store_list *out);
void store_lanes_answered(struct store_lanes *lanes, enum store_lane_id lane);
enum store_lane_id store_lane_of(const struct store_task *task);

/* --- On a thread --- */
/* Waits for tasks and takes them all (false: none will come any more); gives them back. */
bool store_lane_take(struct store_lanes *lanes, enum store_lane_id lane, struct store_list *list);
void store_lane_done(struct store_lanes *lanes, struct store_list *list);
/* Rests for so long; false at once when the threads are to end. */
bool store_lane_pause(struct store_lanes *lanes, enum store_lane_id lane, uint32_t pause_ms);

#endif
