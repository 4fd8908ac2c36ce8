/* One arena per request: allocations live until the arena is cleared. Bounded. */
#ifndef NATARIS_BASE_ARENA_H
#define NATARIS_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

struct arena_block;

struct arena {
    struct arena_block *blocks;
    size_t used_total, limit, first_block;
};

void arena_init(struct arena *arena, size_t limit); /* allocates nothing */
/* For an arena of which many live long and hold little: its first block has so many bytes only. */
void arena_init_small(struct arena *arena, size_t limit, size_t first_block);
void arena_clear(struct arena *arena); /* frees everything; stays usable */
/* Zeroed, 16-byte aligned memory, or NULL when the limit would be passed. */
void *arena_alloc(struct arena *arena, size_t size);
/* The same for `count` elements; also NULL when the product does not fit. */
void *arena_alloc_array(struct arena *arena, size_t size, size_t count);
/* A NUL-terminated copy (the NUL is not counted); data is NULL when the limit would be passed. */
struct str arena_copy(struct arena *arena, struct str s);
#define ARENA_NEW(arena, type) ((type *)arena_alloc((arena), sizeof(type)))
#define ARENA_ARRAY(arena, type, count) ((type *)arena_alloc_array((arena), sizeof(type), (count)))

#ifdef __cplusplus
}
#endif
#endif
