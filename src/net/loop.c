#include "net/loop.h"

#include "base/mem.h"
#include "net/loop_state.h"

#include <signal.h>
#include <stdlib.h>

struct loop_timer {
    uv_timer_t uv;
    void (*callback)(void *context);
    void *context;
};

static struct loop_deferred *queue_take(struct loop_queue *queue) {
    struct loop_deferred *deferred = queue->first;
    if (deferred != NULL) {
        queue->first = deferred->next;
        if (queue->first == NULL) {
            queue->last = NULL;
        }
        deferred->next = NULL;
        deferred->queued = false;
        queue->count--;
    }
    return deferred;
}

static void queue_add(struct loop_queue *queue, struct loop_deferred *deferred) {
    if (deferred->queued) {
        return;
    }
    deferred->queued = true;
    deferred->next = NULL;
    if (queue->last != NULL) {
        queue->last->next = deferred;
    } else {
        queue->first = deferred;
    }
    queue->last = deferred;
    queue->count++;
}

static void loop_end_iteration(struct loop *loop) {
    struct loop_deferred *deferred;
    while ((deferred = queue_take(&loop->deferred)) != NULL || (deferred = queue_take(&loop->deferred_last)) != NULL) {
        deferred->run(deferred);
    }
}

void loop_relieve(struct loop *loop) {
    if (loop->deferred.count + loop->deferred_last.count >= LOOP_RELIEVE_AT) {
        loop_end_iteration(loop);
    }
}

static void loop_before_poll(uv_prepare_t *handle) {
    loop_end_iteration((struct loop *)handle->data);
}

static void loop_after_poll(uv_check_t *handle) {
    loop_end_iteration((struct loop *)handle->data);
}

struct loop *loop_new(void) {
    /* libuv writes to sockets with write(2): a peer that is gone must be an error there, not the end of the process. */
    signal(SIGPIPE, SIG_IGN);
    struct loop *loop = MEM_NEW(struct loop);
    if (uv_loop_init(&loop->uv) != 0) {
        abort(); /* no descriptor left for epoll at start-up: nothing can work */
    }
    uv_prepare_init(&loop->uv, &loop->before_poll);
    uv_check_init(&loop->uv, &loop->after_poll);
    loop->before_poll.data = loop->after_poll.data = loop;
    uv_prepare_start(&loop->before_poll, loop_before_poll);
    uv_check_start(&loop->after_poll, loop_after_poll);
    uv_unref((uv_handle_t *)&loop->before_poll);
    uv_unref((uv_handle_t *)&loop->after_poll);
    deadline_heap_init(&loop->deadlines, &loop->uv);
    loop->read_buffer = mem_alloc(LOOP_READ_BYTES);
    loop->plain_buffer = mem_alloc(LOOP_PLAIN_BYTES);
    return loop;
}

void loop_free(struct loop *loop) {
    if (loop == NULL) {
        return;
    }
    loop_run(loop);
    uv_close((uv_handle_t *)&loop->before_poll, NULL);
    uv_close((uv_handle_t *)&loop->after_poll, NULL);
    deadline_heap_close(&loop->deadlines);
    uv_run(&loop->uv, UV_RUN_DEFAULT);
    if (uv_loop_close(&loop->uv) != 0) {
        abort(); /* something is still open: its memory would be used after it is freed */
    }
    chunk_pool_clear(&loop->chunks);
    free(loop->read_buffer);
    free(loop->plain_buffer);
    free(loop);
}

uv_loop_t *loop_uv(struct loop *loop) {
    return &loop->uv;
}

struct deadline_heap *loop_deadlines(struct loop *loop) {
    return &loop->deadlines;
}

void loop_run(struct loop *loop) {
    loop->stopped = false;
    do {
        loop_end_iteration(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
        loop_end_iteration(loop);
    } while (!loop->stopped && uv_loop_alive(&loop->uv));
}

void loop_stop(struct loop *loop) {
    loop->stopped = true;
    uv_stop(&loop->uv);
}

uint64_t loop_now_ms(const struct loop *loop) {
    return uv_now(&loop->uv);
}

void loop_defer(struct loop *loop, struct loop_deferred *deferred) {
    queue_add(&loop->deferred, deferred);
}

void loop_defer_last(struct loop *loop, struct loop_deferred *deferred) {
    queue_add(&loop->deferred_last, deferred);
}

static void timer_due(uv_timer_t *handle) {
    struct loop_timer *timer = (struct loop_timer *)handle->data;
    timer->callback(timer->context);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*callback)(void *context), void *context) {
    struct loop_timer *timer = MEM_NEW(struct loop_timer);
    uv_timer_init(&loop->uv, &timer->uv);
    timer->uv.data = timer;
    timer->callback = callback;
    timer->context = context;
    return timer;
}

void loop_timer_start(struct loop_timer *timer, uint64_t after_ms, uint64_t repeat_ms) {
    uv_timer_start(&timer->uv, timer_due, after_ms, repeat_ms);
}

void loop_timer_stop(struct loop_timer *timer) {
    uv_timer_stop(&timer->uv);
}

static void timer_closed(uv_handle_t *handle) {
    free(handle->data);
}

void loop_timer_free(struct loop_timer *timer) {
    if (timer != NULL && !uv_is_closing((uv_handle_t *)&timer->uv)) {
        uv_close((uv_handle_t *)&timer->uv, timer_closed);
    }
}
