/* nataris-llama with --count: the model's vocabulary and template only, and for each frame that asks how many tokens
 * texts have an answer, in their order (engine/counter.h is the other end). */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_COUNT_H
#define NATARIS_ENGINE_LLAMA_CHILD_COUNT_H

#include "base/buf.h"
#include "base/compiler.h"
#include "engine/llama_child/model.h"
#include "engine/llama_child/outbox.h"
#include "engine/llama_frames.h"

struct count_maker;
struct count_maker *count_maker_new(const struct model *model);
void count_maker_free(struct count_maker *maker);
/* The answer to one frame, appended to `out`; a frame of another kind, or one that is broken, has an answer without
 * counts. */
void count_frame(struct count_maker *maker, const struct llama_frame *frame, struct buf *out);

/* Answers until the other end closes. */
void count_run(const struct model *model, int fd, struct outbox *outbox) __attribute__((noreturn));

#endif
