/* Buffers for bytes on their way out. A connection holds one only while it has something to send; small ones are
 * reused through the loop's pool instead of being freed. */
#ifndef NATARIS_NET_CHUNK_H
#define NATARIS_NET_CHUNK_H

#include <stddef.h>

struct chunk {
    struct chunk *next; /* the pool's */
    size_t len, capacity;
    char data[];
};

struct chunk_pool {
    struct chunk *spare;
    unsigned count;
};

/* Room for `len` more bytes at the end of *chunk (made or moved as needed): where to write them. Then add to len. */
char *chunk_reserve(struct chunk_pool *pool, struct chunk **chunk, size_t len);
void chunk_append(struct chunk_pool *pool, struct chunk **chunk, const void *data, size_t len);
void chunk_release(struct chunk_pool *pool, struct chunk *chunk); /* NULL is fine */
void chunk_pool_clear(struct chunk_pool *pool);

#endif
