/* All deadlines in one heap. Bounded: one for each generation, for each ghost (as many as generations) and for each
 * provider. */
#include "core/core_internal.h"

enum { DEADLINES_FIRST = 64 };

static void heap_put(struct core_deadlines *heap, size_t index, struct core_deadline_entry entry) {
    heap->entries[index] = entry;
    entry.deadline->position = (uint32_t)index + 1;
}

static void heap_rise(struct core_deadlines *heap, size_t index) {
    struct core_deadline_entry entry = heap->entries[index];
    while (index > 0) {
        size_t parent = (index - 1) / 2;
        if (heap->entries[parent].at_ms <= entry.at_ms) {
            break;
        }
        heap_put(heap, index, heap->entries[parent]);
        index = parent;
    }
    heap_put(heap, index, entry);
}

static void heap_sink(struct core_deadlines *heap, size_t index) {
    struct core_deadline_entry entry = heap->entries[index];
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= heap->count) {
            break;
        }
        if (child + 1 < heap->count && heap->entries[child + 1].at_ms < heap->entries[child].at_ms) {
            child++;
        }
        if (heap->entries[child].at_ms >= entry.at_ms) {
            break;
        }
        heap_put(heap, index, heap->entries[child]);
        index = child;
    }
    heap_put(heap, index, entry);
}

void core_deadline_set(struct core *core, struct core_deadline *deadline, uint64_t due_ms) {
    struct core_deadlines *heap = &core->deadlines;
    deadline->due_ms = due_ms;
    if (deadline->position == 0) {
        if (heap->count == heap->capacity) {
            heap->capacity = heap->capacity == 0 ? DEADLINES_FIRST : heap->capacity * 2;
            heap->entries = mem_realloc(heap->entries, heap->capacity * sizeof(*heap->entries));
        }
        heap->entries[heap->count] = (struct core_deadline_entry){.at_ms = due_ms, .deadline = deadline};
        heap_rise(heap, heap->count++);
        return;
    }
    size_t index = deadline->position - 1;
    if (due_ms < heap->entries[index].at_ms) {
        heap->entries[index].at_ms = due_ms;
        heap_rise(heap, index);
    }
}

void core_deadline_unset(struct core *core, struct core_deadline *deadline) {
    struct core_deadlines *heap = &core->deadlines;
    if (deadline->position == 0) {
        return;
    }
    size_t index = deadline->position - 1;
    deadline->position = 0;
    struct core_deadline_entry last = heap->entries[--heap->count];
    if (index == heap->count) {
        return;
    }
    heap_put(heap, index, last);
    heap_rise(heap, index);
    heap_sink(heap, last.deadline->position - 1);
}

static void deadline_fire(struct core *core, struct core_deadline *deadline) {
    switch (deadline->kind) {
    case CORE_DEADLINE_GENERATION:
        core_generation_overdue(core, CORE_OF(deadline, struct core_generation, deadline));
        break;
    case CORE_DEADLINE_GHOST:
        core_attempt_release(core, CORE_OF(deadline, struct core_attempt, deadline));
        break;
    case CORE_DEADLINE_COOLDOWN:
        core_provider_recovered(core, CORE_OF(deadline, struct core_provider, cooldown));
        break;
    case CORE_DEADLINE_QUEUE:
        core_queue_go_on(core, CORE_OF(deadline, struct core_queue, deadline));
        break;
    }
}

void core_deadlines_run(struct core *core) {
    struct core_deadlines *heap = &core->deadlines;
    /* Ends: what fires is gone or has a later deadline, since every time of the configuration is at least 1 ms. */
    while (heap->count > 0 && heap->entries[0].at_ms <= core->now_ms) {
        struct core_deadline *deadline = heap->entries[0].deadline;
        if (deadline->due_ms > core->now_ms) {
            heap->entries[0].at_ms = deadline->due_ms;
            heap_sink(heap, 0);
            continue;
        }
        core_deadline_unset(core, deadline);
        deadline_fire(core, deadline);
    }
}

bool core_deadlines_check(const struct core *core) {
    const struct core_deadlines *heap = &core->deadlines;
    for (size_t i = 0; i < heap->count; i++) {
        const struct core_deadline_entry *entry = &heap->entries[i];
        if (entry->deadline->position != i + 1 || entry->at_ms > entry->deadline->due_ms ||
            (i > 0 && heap->entries[(i - 1) / 2].at_ms > entry->at_ms)) {
            return false;
        }
    }
    return heap->count == 0 || (heap->armed_ms <= heap->entries[0].at_ms && heap->entries[0].at_ms > core->now_ms);
}
