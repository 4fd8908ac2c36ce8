#include "provider/job_table.h"

#include "base/mem.h"

#include <stdlib.h>

enum { JOBS_MAX = 4096, JOBS_FIRST = 16, NO_SLOT = -1 };

void job_table_init(struct job_table *table) {
    *table = (struct job_table){.first_free = NO_SLOT};
}

void job_table_clear(struct job_table *table) {
    for (uint32_t i = 0; i < table->count; i++) {
        delivery_free(table->slots[i].delivery);
    }
    free(table->slots);
    job_table_init(table);
}

uint64_t job_table_id(const struct job_table *table, const struct job_slot *slot) {
    return ((uint64_t)slot->generation << 32) | (uint64_t)(slot - table->slots);
}

struct job_slot *job_table_take(struct job_table *table) {
    if (table->first_free == NO_SLOT) {
        if (table->count == JOBS_MAX) {
            return NULL;
        }
        const uint32_t count = table->count == 0 ? JOBS_FIRST : 2 * table->count;
        table->slots = mem_realloc(table->slots, count * sizeof(*table->slots));
        for (uint32_t i = table->count; i < count; i++) {
            table->slots[i] = (struct job_slot){.next_free = i + 1 < count ? (int32_t)i + 1 : NO_SLOT};
        }
        table->first_free = (int32_t)table->count;
        table->count = count;
    }
    struct job_slot *slot = &table->slots[table->first_free];
    table->first_free = slot->next_free;
    return slot;
}

struct job_slot *job_table_find(const struct job_table *table, uint64_t id) {
    const uint32_t index = (uint32_t)id;
    struct job_slot *slot = index < table->count ? &table->slots[index] : NULL;
    return slot != NULL && slot->state != JOB_FREE && slot->generation == id >> 32 ? slot : NULL;
}

void job_table_set_state(struct job_table *table, struct job_slot *slot, enum job_state next) {
    table->running += next == JOB_RUNNING ? 1 : 0;
    table->running -= slot->state == JOB_RUNNING ? 1 : 0;
    slot->state = next;
    if (next == JOB_FREE) {
        delivery_free(slot->delivery);
        slot->delivery = NULL;
        slot->generation++;
        slot->next_free = table->first_free;
        table->first_free = (int32_t)(slot - table->slots);
    }
}
