/* How a model's context is shared out among what a step's prompt is made of. Pure. */
#ifndef NATARIS_WORKFLOW_BUDGET_H
#define NATARIS_WORKFLOW_BUDGET_H

#include <stdint.h>

enum {
    WORKFLOW_STEP_TOKENS = 256, /* of an output that is not the answer, or a quarter of the context if that is less */
    WORKFLOW_ANSWER_TOKENS_MIN = 16, /* with less budget than for so many, a step does not begin */
};

/* Of an output that is not the answer. */
uint32_t budget_step_tokens(uint32_t context_length);
/* What a map reads at most of the question, and of the client's system text. */
int64_t budget_map_cap(uint32_t context_length);
/* core_workflow_config.reduce_tokens for this context. */
uint32_t budget_reduce_tokens(uint32_t context_length);

#endif
