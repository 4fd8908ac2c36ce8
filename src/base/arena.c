#include "base/arena.h"

#include "base/mem.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_ALIGN = 16, ARENA_BLOCK_FIRST = 4096 - 64, ARENA_BLOCK_MAX = 64 * 1024 };

struct arena_block {
    struct arena_block *next;
    size_t used, size;
    alignas(ARENA_ALIGN) char data[];
};

void arena_init(struct arena *arena, size_t limit) {
    arena_init_small(arena, limit, ARENA_BLOCK_FIRST);
}

void arena_init_small(struct arena *arena, size_t limit, size_t first_block) {
    *arena = (struct arena){.limit = limit, .first_block = first_block};
}

void arena_clear(struct arena *arena) {
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
    arena->used_total = 0;
}

/* Blocks double, so that a large request costs few of them; what is larger than a block gets one of its own. */
static struct arena_block *arena_add_block(struct arena *arena, size_t size) {
    size_t block_size = arena->blocks != NULL ? arena->blocks->size * 2 : arena->first_block;
    if (block_size > ARENA_BLOCK_MAX) {
        block_size = ARENA_BLOCK_MAX;
    }
    if (block_size < size) {
        block_size = size;
    }
    struct arena_block *block = mem_alloc(sizeof(*block) + block_size);
    *block = (struct arena_block){.size = block_size, .next = arena->blocks};
    arena->blocks = block;
    return block;
}

/* Not zeroed: a request uses little of its first block, and what is copied into it needs no zeros before. */
static void *arena_take(struct arena *arena, size_t size) {
    if (size > SIZE_MAX - ARENA_ALIGN) {
        return NULL;
    }
    size_t rounded = size > 0 ? (size + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN : ARENA_ALIGN;
    if (rounded > arena->limit || arena->used_total > arena->limit - rounded) {
        return NULL;
    }
    struct arena_block *block = arena->blocks;
    if (block == NULL || rounded > block->size - block->used) {
        block = arena_add_block(arena, rounded);
    }
    void *memory = block->data + block->used;
    block->used += rounded;
    arena->used_total += rounded;
    return memory;
}

void *arena_alloc(struct arena *arena, size_t size) {
    void *memory = arena_take(arena, size);
    return memory != NULL ? memset(memory, 0, size) : NULL;
}

void *arena_alloc_array(struct arena *arena, size_t size, size_t count) {
    size_t total;
    return __builtin_mul_overflow(size, count, &total) ? NULL : arena_alloc(arena, total);
}

struct str arena_copy(struct arena *arena, struct str s) {
    char *copy = s.len < SIZE_MAX ? (char *)arena_take(arena, s.len + 1) : NULL;
    if (copy == NULL) {
        return (struct str){0};
    }
    if (s.len > 0) {
        memcpy(copy, s.data, s.len);
    }
    copy[s.len] = '\0';
    return (struct str){.data = copy, .len = s.len};
}
