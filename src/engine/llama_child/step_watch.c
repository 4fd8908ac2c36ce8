#include "engine/llama_child/step_watch.h"

#include <string.h>

void step_watch_init(struct step_watch *watch) {
    watch->count = 0;
    atomic_init(&watch->broken_off, false);
    pthread_mutex_init(&watch->lock, NULL);
}

void step_watch_set(struct step_watch *watch, const uint64_t *jobs, uint32_t count) {
    pthread_mutex_lock(&watch->lock);
    watch->count = count < LIMIT_PROVIDER_SLOTS ? count : LIMIT_PROVIDER_SLOTS;
    if (watch->count > 0) {
        memcpy(watch->jobs, jobs, watch->count * sizeof(*jobs));
    }
    atomic_store_explicit(&watch->broken_off, false, memory_order_relaxed);
    pthread_mutex_unlock(&watch->lock);
}

void step_watch_cancel(struct step_watch *watch, uint64_t job) {
    pthread_mutex_lock(&watch->lock);
    for (uint32_t i = 0; i < watch->count; i++) {
        if (watch->jobs[i] == job) {
            atomic_store_explicit(&watch->broken_off, true, memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

bool step_watch_is_broken_off(void *context) {
    struct step_watch *watch = context;
    return atomic_load_explicit(&watch->broken_off, memory_order_relaxed);
}
