#include "net/chunk.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

/* Most answers and deltas of one iteration fit the smallest chunk; the pool holds at most 256 KB. */
enum { CHUNK_SMALL = 4096 - 64, CHUNK_SPARE_MAX = 64 };

static struct chunk *chunk_grow(struct chunk *old, size_t needed) {
    size_t capacity = old != NULL ? old->capacity : CHUNK_SMALL;
    while (capacity < needed) {
        capacity *= 2;
    }
    struct chunk *chunk = mem_realloc(old, sizeof(*chunk) + capacity);
    if (old == NULL) {
        chunk->len = 0;
    }
    chunk->capacity = capacity;
    return chunk;
}

char *chunk_reserve(struct chunk_pool *pool, struct chunk **chunk, size_t len) {
    if (*chunk == NULL && pool->spare != NULL) {
        *chunk = pool->spare;
        pool->spare = (*chunk)->next;
        pool->count--;
        (*chunk)->len = 0;
    }
    size_t needed = len + (*chunk != NULL ? (*chunk)->len : 0);
    if (*chunk == NULL || needed > (*chunk)->capacity) {
        *chunk = chunk_grow(*chunk, needed);
    }
    return (*chunk)->data + (*chunk)->len;
}

void chunk_append(struct chunk_pool *pool, struct chunk **chunk, const void *data, size_t len) {
    if (len > 0) {
        memcpy(chunk_reserve(pool, chunk, len), data, len);
        (*chunk)->len += len;
    }
}

void chunk_release(struct chunk_pool *pool, struct chunk *chunk) {
    if (chunk == NULL) {
        return;
    }
    if (chunk->capacity != CHUNK_SMALL || pool->count >= CHUNK_SPARE_MAX) {
        free(chunk);
        return;
    }
    chunk->next = pool->spare;
    pool->spare = chunk;
    pool->count++;
}

void chunk_pool_clear(struct chunk_pool *pool) {
    while (pool->spare != NULL) {
        struct chunk *chunk = pool->spare;
        pool->spare = chunk->next;
        free(chunk);
    }
    pool->count = 0;
}
