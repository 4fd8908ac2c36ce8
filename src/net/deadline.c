#include "net/deadline.h"

#include "base/mem.h"

#include <stdlib.h>

static void heap_put(struct deadline_heap *heap, size_t position, struct deadline *deadline) {
    heap->items[position - 1] = deadline;
    deadline->position = position;
}

static void heap_sift_up(struct deadline_heap *heap, struct deadline *deadline) {
    size_t position = deadline->position;
    while (position > 1 && heap->items[position / 2 - 1]->queued_ms > deadline->queued_ms) {
        heap_put(heap, position, heap->items[position / 2 - 1]);
        position /= 2;
    }
    heap_put(heap, position, deadline);
}

static void heap_sift_down(struct deadline_heap *heap, struct deadline *deadline) {
    size_t position = deadline->position;
    for (;;) {
        size_t child = position * 2;
        if (child > heap->count) {
            break;
        }
        if (child < heap->count && heap->items[child]->queued_ms < heap->items[child - 1]->queued_ms) {
            child++;
        }
        if (heap->items[child - 1]->queued_ms >= deadline->queued_ms) {
            break;
        }
        heap_put(heap, position, heap->items[child - 1]);
        position = child;
    }
    heap_put(heap, position, deadline);
}

static void heap_insert(struct deadline_heap *heap, struct deadline *deadline) {
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity > 0 ? heap->capacity * 2 : 64;
        heap->items = mem_realloc((void *)heap->items, heap->capacity * sizeof(*heap->items));
    }
    heap->count++;
    deadline->queued_ms = deadline->due_ms;
    deadline->position = heap->count;
    heap_sift_up(heap, deadline);
}

static void heap_remove(struct deadline_heap *heap, struct deadline *deadline) {
    struct deadline *moved = heap->items[heap->count - 1];
    heap->count--;
    if (moved != deadline) {
        moved->position = deadline->position;
        heap_sift_up(heap, moved);
        heap_sift_down(heap, moved);
    }
    deadline->position = 0;
}

static void heap_arm(struct deadline_heap *heap, uint64_t now);

static void heap_on_timer(uv_timer_t *timer) {
    struct deadline_heap *heap = (struct deadline_heap *)timer->data;
    uint64_t now = uv_now(timer->loop);
    heap->armed_ms = 0;
    while (heap->count > 0 && heap->items[0]->queued_ms <= now) {
        struct deadline *deadline = heap->items[0];
        if (deadline->due_ms <= now) {
            heap_remove(heap, deadline);
            deadline->due_ms = UINT64_MAX;
            deadline->expired(deadline);
        } else if (deadline->due_ms == UINT64_MAX) {
            heap_remove(heap, deadline);
        } else {
            deadline->queued_ms = deadline->due_ms;
            heap_sift_down(heap, deadline);
        }
    }
    heap_arm(heap, now);
}

/* The timer runs for the earliest deadline in the heap; one that fires too early costs a look, nothing else. */
static void heap_arm(struct deadline_heap *heap, uint64_t now) {
    if (heap->count == 0) {
        uv_timer_stop(&heap->timer);
        heap->armed_ms = 0;
        return;
    }
    uint64_t due = heap->items[0]->queued_ms;
    if (heap->armed_ms != 0 && heap->armed_ms <= due) {
        return;
    }
    heap->armed_ms = due;
    uv_timer_start(&heap->timer, heap_on_timer, due > now ? due - now : 0, 0);
}

void deadline_set(struct deadline_heap *heap, struct deadline *deadline, uint64_t after_ms) {
    uint64_t now = uv_now(heap->timer.loop);
    uint64_t quantum = after_ms / 64 + 1;
    uint64_t earliest = now + (after_ms > 0 ? after_ms : 1); /* one set while it expires must not be due at once */
    deadline->due_ms = (earliest + quantum - 1) / quantum * quantum;
    if (deadline->position == 0) {
        heap_insert(heap, deadline);
    } else if (deadline->due_ms < deadline->queued_ms) {
        deadline->queued_ms = deadline->due_ms;
        heap_sift_up(heap, deadline);
    } else {
        return;
    }
    heap_arm(heap, now);
}

void deadline_clear(struct deadline *deadline) {
    deadline->due_ms = UINT64_MAX;
}

void deadline_remove(struct deadline_heap *heap, struct deadline *deadline) {
    deadline->due_ms = UINT64_MAX;
    if (deadline->position != 0) {
        heap_remove(heap, deadline);
        if (heap->count == 0) {
            heap_arm(heap, 0);
        }
    }
}

void deadline_heap_init(struct deadline_heap *heap, uv_loop_t *loop) {
    *heap = (struct deadline_heap){0};
    uv_timer_init(loop, &heap->timer);
    heap->timer.data = heap;
}

void deadline_heap_close(struct deadline_heap *heap) {
    uv_close((uv_handle_t *)&heap->timer, NULL);
    free((void *)heap->items);
    heap->items = NULL;
    heap->count = heap->capacity = 0;
}
