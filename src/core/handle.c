/* Tables that give objects a number which the outside may keep for as long as it likes. */
#include "core/core_internal.h"

#include <string.h>

enum { HANDLES_FIRST = 16 };

void core_handles_init(struct core_handles *handles, size_t limit) {
    *handles = (struct core_handles){.limit = limit < CORE_HANDLE_LIMIT ? limit : CORE_HANDLE_LIMIT};
}

void core_handles_clear(struct core_handles *handles) {
    free(handles->entries);
    *handles = (struct core_handles){0};
}

static size_t handles_new_index(struct core_handles *handles) {
    if (handles->first_free != 0) {
        size_t index = handles->first_free - 1;
        handles->first_free = handles->entries[index].next_free;
        return index;
    }
    if (handles->used == handles->capacity) {
        handles->capacity = handles->capacity == 0 ? HANDLES_FIRST : handles->capacity * 2;
        handles->entries = mem_realloc(handles->entries, handles->capacity * sizeof(*handles->entries));
    }
    handles->entries[handles->used] = (struct core_handle_entry){0};
    return handles->used++;
}

uint64_t core_handles_add(struct core_handles *handles, void *object) {
    if (handles->count == handles->limit) {
        return CORE_NO_HANDLE;
    }
    size_t index = handles_new_index(handles);
    struct core_handle_entry *entry = &handles->entries[index];
    entry->object = object;
    entry->next_free = 0;
    handles->count++;
    return (uint64_t)entry->uses << CORE_HANDLE_INDEX_BITS | (index + 1);
}

void core_handles_remove(struct core_handles *handles, uint64_t handle) {
    if (core_handles_get(handles, handle) == NULL) {
        return;
    }
    size_t index = (size_t)(handle & CORE_HANDLE_LIMIT) - 1;
    struct core_handle_entry *entry = &handles->entries[index];
    entry->object = NULL;
    entry->uses++;
    entry->next_free = handles->first_free;
    handles->first_free = (uint32_t)index + 1;
    handles->count--;
}
