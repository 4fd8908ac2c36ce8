/* What happens when: a binary heap, in order of time and then of entry. */
#include "sim/network.h"

#include "base/mem.h"

enum { QUEUE_FIRST = 1024 };

static bool precedes(const struct net_event *a, const struct net_event *b) {
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

void net_queue_put(struct net_world *world, uint64_t after_ms, struct net_event event) {
    struct net_queue *queue = &world->queue;
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? QUEUE_FIRST : queue->capacity * 2;
        queue->items = mem_realloc(queue->items, queue->capacity * sizeof(*queue->items));
    }
    event.at_ms = world->now_ms + after_ms;
    event.order = queue->order++;
    size_t index = queue->count++;
    while (index > 0 && precedes(&event, &queue->items[(index - 1) / 2])) {
        queue->items[index] = queue->items[(index - 1) / 2];
        index = (index - 1) / 2;
    }
    queue->items[index] = event;
}

bool net_queue_take(struct net_world *world, struct net_event *event) {
    struct net_queue *queue = &world->queue;
    if (queue->count == 0) {
        return false;
    }
    *event = queue->items[0];
    struct net_event last = queue->items[--queue->count];
    size_t index = 0, child;
    while ((child = index * 2 + 1) < queue->count) {
        child += child + 1 < queue->count && precedes(&queue->items[child + 1], &queue->items[child]);
        if (!precedes(&queue->items[child], &last)) {
            break;
        }
        queue->items[index] = queue->items[child];
        index = child;
    }
    queue->items[index] = last;
    return true;
}
