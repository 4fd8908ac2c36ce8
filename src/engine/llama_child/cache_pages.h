/* The memory of the KV cache: each slot has room for a whole context, but only what it has filled takes memory. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_CACHE_PAGES_H
#define NATARIS_ENGINE_LLAMA_CHILD_CACHE_PAGES_H

#include <llama.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cache_tensor {
    uint8_t *data;
    size_t slot_bytes; /* of each slot; they lie one behind the other */
    uint32_t slots;
};

/* llama.cpp takes the cache whole and writes zeros to it, and so all of it takes memory at once. What nothing was
 * written to since can be given back: the kernel puts zeros there again when it is touched. */
struct cache_pages {
    struct cache_tensor *tensors; /* where the cache lies: keys and values of each layer */
    size_t count, capacity;
    bool looking; /* at the graph that is computed just now */
};

/* For llama_context_params.cb_eval, with a struct cache_pages as its data, which must not move: finds the cache while
 * `looking` is set, and otherwise only costs a call per node. */
bool cache_pages_look(struct ggml_tensor *node, bool ask, void *pages);
/* Gives back what all slots have taken. They must be empty. */
void cache_pages_release_all(const struct cache_pages *pages);
/* The same for one slot. */
void cache_pages_release(const struct cache_pages *pages, uint32_t slot);

#endif
