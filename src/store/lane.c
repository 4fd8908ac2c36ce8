#include "store/lane.h"

#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

enum { LANE_READS_MAX = 4096 }; /* questions that may wait for one of the readers */

/* --- Lists --- */

void store_list_init(struct store_list *list) {
    list->first = NULL;
    list->end = &list->first;
}

void store_list_append(struct store_list *list, struct store_task *task) {
    task->next = NULL;
    *list->end = task;
    list->end = &task->next;
}

/* Moves everything from one list to the end of another. */
static void list_move(struct store_list *to, struct store_list *from) {
    if (from->first != NULL) {
        *to->end = from->first;
        to->end = from->end;
        store_list_init(from);
    }
}

/* --- Life --- */

void store_lanes_init(struct store_lanes *lanes) {
    *lanes = (struct store_lanes){0};
    for (int i = 0; i < STORE_LANES; i++) {
        store_list_init(&lanes->each[i].waiting);
    }
    store_list_init(&lanes->done);
}

static int lane_start(struct store_lane *lane, const struct store_thread *thread) {
    int result = uv_cond_init(&lane->work);
    if (result != 0) {
        return result;
    }
    /* Signals are the loop's business: the thread inherits a full mask. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = uv_thread_create(&lane->thread, thread->run, thread->argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        uv_cond_destroy(&lane->work);
    }
    return result;
}

static void lane_stop(struct store_lanes *lanes, struct store_lane *lane) {
    uv_mutex_lock(&lanes->mutex);
    lanes->closing = true;
    uv_mutex_unlock(&lanes->mutex);
    uv_cond_signal(&lane->work);
    uv_thread_join(&lane->thread);
    uv_cond_destroy(&lane->work);
}

/* Ends the first `count` threads, which work off what waits. */
static void threads_stop(struct store_lanes *lanes, int count) {
    for (int i = 0; i < count; i++) {
        lane_stop(lanes, &lanes->each[i]);
    }
}

static int threads_start(struct store_lanes *lanes, const struct store_thread threads[STORE_LANES]) {
    int result = uv_mutex_init(&lanes->mutex);
    if (result != 0) {
        return result;
    }
    for (int i = 0; i < STORE_LANES; i++) {
        result = lane_start(&lanes->each[i], &threads[i]);
        if (result != 0) {
            threads_stop(lanes, i);
            lanes->closing = false;
            uv_mutex_destroy(&lanes->mutex);
            return result;
        }
    }
    return 0;
}

static void on_wake_closed(uv_handle_t *wake) {
    free(wake);
}

bool store_lanes_start(struct store_lanes *lanes, uv_loop_t *loop, uv_async_cb on_done, void *data,
                       const struct store_thread threads[STORE_LANES], struct err *err) {
    lanes->wake = MEM_NEW(uv_async_t);
    int result = uv_async_init(loop, lanes->wake, on_done);
    if (result != 0) {
        free(lanes->wake);
        return err_set(err, ERR_IO, "Cannot wake the loop from the store: %s", uv_strerror(result));
    }
    lanes->wake->data = data;
    uv_unref((uv_handle_t *)lanes->wake);
    result = threads_start(lanes, threads);
    if (result != 0) {
        uv_close((uv_handle_t *)lanes->wake, on_wake_closed);
        return err_set(err, ERR_IO, "Cannot start the store's threads: %s", uv_strerror(result));
    }
    return true;
}

void store_lanes_stop(struct store_lanes *lanes) {
    threads_stop(lanes, STORE_LANES);
}

void store_lanes_clear(struct store_lanes *lanes) {
    uv_close((uv_handle_t *)lanes->wake, on_wake_closed);
    uv_mutex_destroy(&lanes->mutex);
}

/* --- On the loop's thread --- */

/* Answers without a thread, but not before the caller has returned. */
static void lanes_refuse(struct store_lanes *lanes, struct store_task *task) {
    struct store_list one;
    struct err err;
    if (lanes->closed) {
        err_set(&err, ERR_CLOSED, "The store is being closed");
    } else {
        err_set(&err, ERR_UNAVAILABLE, "Too many requests wait for the database");
    }
    store_task_fail(task, &err);
    store_list_init(&one);
    store_list_append(&one, task);
    store_lane_done(lanes, &one);
}

enum store_lane_id store_lane_of(const struct store_task *task) {
    return task->kind->read == NULL ? STORE_LANE_WRITER : task->kind->list ? STORE_LANE_LISTER : STORE_LANE_READER;
}

void store_lanes_put(struct store_lanes *lanes, struct store_task *task) {
    const enum store_lane_id id = store_lane_of(task);
    struct store_lane *lane = &lanes->each[id];
    const size_t room = id == STORE_LANE_WRITER ? STORE_QUEUE_MAX : LANE_READS_MAX;
    if (lanes->outstanding++ == 0) {
        uv_ref((uv_handle_t *)lanes->wake);
    }
    if (++lane->outstanding > room || lanes->closed) {
        lanes_refuse(lanes, task);
        return;
    }
    uv_mutex_lock(&lanes->mutex);
    store_list_append(&lane->waiting, task);
    const bool sleeps = lane->sleeps;
    lane->sleeps = false;
    uv_mutex_unlock(&lanes->mutex);
    if (sleeps) { /* one wake-up a group: it costs a system call */
        uv_cond_signal(&lane->work);
    }
}

void store_lanes_collect(struct store_lanes *lanes, struct store_list *out) {
    store_list_init(out);
    uv_mutex_lock(&lanes->mutex);
    list_move(out, &lanes->done);
    uv_mutex_unlock(&lanes->mutex);
}

void store_lanes_answered(struct store_lanes *lanes, enum store_lane_id lane) {
    lanes->each[lane].outstanding--;
    if (--lanes->outstanding == 0) {
        uv_unref((uv_handle_t *)lanes->wake);
    }
}

/* --- On a thread --- */

bool store_lane_take(struct store_lanes *lanes, enum store_lane_id id, struct store_list *list) {
    struct store_lane *lane = &lanes->each[id];
    store_list_init(list);
    uv_mutex_lock(&lanes->mutex);
    while (lane->waiting.first == NULL && !lanes->closing) {
        lane->sleeps = true;
        uv_cond_wait(&lane->work, &lanes->mutex);
    }
    lane->sleeps = false;
    list_move(list, &lane->waiting);
    uv_mutex_unlock(&lanes->mutex);
    return list->first != NULL;
}

void store_lane_done(struct store_lanes *lanes, struct store_list *list) {
    uv_mutex_lock(&lanes->mutex);
    list_move(&lanes->done, list);
    uv_mutex_unlock(&lanes->mutex);
    uv_async_send(lanes->wake);
}

bool store_lane_pause(struct store_lanes *lanes, enum store_lane_id id, uint32_t pause_ms) {
    struct store_lane *lane = &lanes->each[id];
    uv_mutex_lock(&lanes->mutex);
    if (!lanes->closing) {
        (void)uv_cond_timedwait(&lane->work, &lanes->mutex, (uint64_t)pause_ms * 1000000);
    }
    const bool goes_on = !lanes->closing;
    uv_mutex_unlock(&lanes->mutex);
    return goes_on;
}
