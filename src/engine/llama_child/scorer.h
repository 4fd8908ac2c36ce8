/* Scores answers beside the jobs: one prefill of prompt and answer, in small pieces between the steps of the batcher,
 * in a slot that no job needs. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SCORER_H
#define NATARIS_ENGINE_LLAMA_CHILD_SCORER_H

#include "base/buf.h"
#include "engine/llama_child/job.h"
#include "engine/llama_child/model.h"
#include "engine/llama_child/slot.h"

#include <stdbool.h>
#include <stdint.h>

struct scorer;
/* For the process's life. */
struct scorer *scorer_new(const struct model *model);
/* Takes over a job that has an answer to score. */
void scorer_add(struct scorer *scorer, struct job *job);
/* Ends the job with DONE, cancelled; false: it is none of these. */
bool scorer_cancel(struct scorer *scorer, uint64_t id, struct buf *frames);
bool scorer_has_jobs(const struct scorer *scorer);
/* Does a piece of the oldest job, when a slot is free, and, while others run (`busy`), it is time: then all pieces take
 * a tenth of it. Appends a frame when the job is over; false: nothing was done. */
bool scorer_step(struct scorer *scorer, struct slot *slots, uint32_t count, bool busy, struct buf *frames);
/* A job gets this slot. */
void scorer_yield(struct scorer *scorer, struct slot *slot);

#endif
