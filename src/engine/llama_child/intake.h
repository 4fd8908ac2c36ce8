/* The reader thread: frames of the parent become jobs and cancels for the batcher. Parsing, templates and tokenizing
 * happen here, beside the decoding; so does the word that a job is accepted, when a slot is free for it, since a step
 * may take longer than the gateway waits for that. When the parent closes its end the whole process ends at once. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_INTAKE_H
#define NATARIS_ENGINE_LLAMA_CHILD_INTAKE_H

#include "engine/llama_child/job.h"
#include "engine/llama_child/outbox.h"
#include "engine/llama_child/step_watch.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct intake_batch {
    struct job *jobs;  /* list, oldest first; the taker's */
    uint64_t *cancels; /* owned: free */
    size_t cancel_count;
};

struct intake {
    int fd;
    struct outbox *outbox;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct job_maker *maker; /* NULL until the model is there */
    struct intake_batch waiting;
    size_t cancel_capacity;
    uint32_t unpromised; /* slots that are neither taken nor promised to a job */
    struct step_watch step;
    atomic_bool pending; /* something is waiting: lets the batcher look without the lock */
};

/* Starts the thread, before the model is loaded, so that a parent that leaves during the loading is noticed too. */
void intake_start(struct intake *intake, int fd, struct outbox *outbox);
/* To be called before READY is sent: the parent sends jobs only after it. */
void intake_use_model(struct intake *intake, const struct model *model);
/* Something has arrived that intake_take would give. */
bool intake_has_news(const struct intake *intake);
/* A slot for a job that was not promised one when it came; false: none is free. */
bool intake_promise(struct intake *intake);
/* A slot, or the promise of one, is given back. */
void intake_give_back(struct intake *intake);
/* Takes all that arrived; with `wait` blocks until there is something. */
void intake_take(struct intake *intake, bool wait, struct intake_batch *out);

#endif
