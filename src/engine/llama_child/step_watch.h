/* The jobs of the step that is being computed, so that the cancel of one of them can break it off. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_STEP_WATCH_H
#define NATARIS_ENGINE_LLAMA_CHILD_STEP_WATCH_H

#include "wire/limits.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct step_watch {
    pthread_mutex_t lock;
    uint64_t jobs[LIMIT_PROVIDER_SLOTS]; /* of the present step */
    uint32_t count;
    atomic_bool broken_off;
};

void step_watch_init(struct step_watch *watch);
/* A step begins with these jobs (of more than LIMIT_PROVIDER_SLOTS the rest is not watched), or, with none, nothing can
 * be broken off. What is cancelled from now on counts. */
void step_watch_set(struct step_watch *watch, const uint64_t *jobs, uint32_t count);
/* From any thread. */
void step_watch_cancel(struct step_watch *watch, uint64_t job);
/* For llama_set_abort_callback: `watch` is a struct step_watch; true once a job of the step is cancelled. */
bool step_watch_is_broken_off(void *watch);

#endif
