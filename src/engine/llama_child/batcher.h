/* Continuous batching: each step evaluates, in one llama_batch, the next token of every answering slot and a piece of
 * the prompts that are still being read. Jobs enter free slots between two steps, cancels take effect there. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_BATCHER_H
#define NATARIS_ENGINE_LLAMA_CHILD_BATCHER_H

#include "engine/llama_child/intake.h"
#include "engine/llama_child/model.h"
#include "engine/llama_child/outbox.h"

/* Runs until the process ends. */
void batcher_run(const struct model *model, struct intake *intake, struct outbox *outbox) __attribute__((noreturn));

#endif
