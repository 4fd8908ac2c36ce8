#include "engine/llama_child/cache_pages.h"

#include "base/mem.h"

#include <ggml-backend.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static bool is_known(const struct cache_pages *pages, const uint8_t *data) {
    for (size_t i = 0; i < pages->count; i++) {
        if (pages->tensors[i].data == data) {
            return true;
        }
    }
    return false;
}

/* Part of the cache: its tensors have three dimensions, the last of which are the slots. */
static bool is_cache(const struct ggml_tensor *tensor) {
    bool named = strncmp(tensor->name, "cache_k_l", 9) == 0 || strncmp(tensor->name, "cache_v_l", 9) == 0;
    return named && tensor->data != NULL && tensor->buffer != NULL && ggml_backend_buffer_is_host(tensor->buffer) &&
           ggml_is_contiguous(tensor) && tensor->ne[2] > 0 && tensor->ne[3] == 1;
}

static void add(struct cache_pages *pages, const struct ggml_tensor *tensor) {
    if (pages->count == pages->capacity) {
        pages->capacity = pages->capacity > 0 ? pages->capacity * 2 : 64;
        pages->tensors = mem_realloc(pages->tensors, pages->capacity * sizeof(*pages->tensors));
    }
    const struct cache_tensor found = {
        .data = tensor->data, .slot_bytes = tensor->nb[2], .slots = (uint32_t)tensor->ne[2]};
    pages->tensors[pages->count++] = found;
    /* A huge page would take the memory of hundreds of tokens for the first of them. */
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)found.data + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)found.data + found.slot_bytes * found.slots) / page * page;
    if (end > begin) {
        (void)madvise((void *)begin, end - begin, MADV_NOHUGEPAGE);
    }
}

static void look_at(struct cache_pages *pages, const struct ggml_tensor *tensor) {
    const struct ggml_tensor *whole = tensor != NULL && tensor->view_src != NULL ? tensor->view_src : tensor;
    if (whole != NULL && is_cache(whole) && !is_known(pages, whole->data)) {
        add(pages, whole);
    }
}

bool cache_pages_look(struct ggml_tensor *node, bool ask, void *context) {
    struct cache_pages *pages = context;
    if (pages->looking) {
        look_at(pages, node);
        for (size_t i = 0; i < GGML_MAX_SRC; i++) {
            look_at(pages, node->src[i]);
        }
    }
    return !ask; /* the values are not wanted, and the computation is to go on */
}

/* Whole pages only: what lies at the ends may belong to others. */
static void give_back(uint8_t *data, size_t len) {
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const uintptr_t begin = ((uintptr_t)data + page - 1) / page * page;
    const uintptr_t end = ((uintptr_t)data + len) / page * page;
    if (end > begin) {
        (void)madvise((void *)begin, end - begin, MADV_DONTNEED); /* what is not given back is only memory */
    }
}

void cache_pages_release_all(const struct cache_pages *pages) {
    for (size_t i = 0; i < pages->count; i++) {
        give_back(pages->tensors[i].data, pages->tensors[i].slot_bytes * pages->tensors[i].slots);
    }
}

void cache_pages_release(const struct cache_pages *pages, uint32_t slot) {
    for (size_t i = 0; i < pages->count; i++) {
        const struct cache_tensor *tensor = &pages->tensors[i];
        if (slot < tensor->slots) {
            give_back(tensor->data + slot * tensor->slot_bytes, tensor->slot_bytes);
        }
    }
}
