/* How many slots of which context a model gets in the memory there is. Pure arithmetic. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_PLAN_H
#define NATARIS_ENGINE_LLAMA_CHILD_PLAN_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { PLAN_SLOTS_DEFAULT = 8, PLAN_CONTEXT_STEP = 256, PLAN_CONTEXT_MIN = 256 };

struct plan_input {
    uint64_t weights_bytes, scratch_bytes; /* scratch: what the computation needs beside weights and KV cache */
    uint64_t kv_bytes_per_token;
    uint64_t parameters;
    uint32_t trained_context;
    uint64_t memory_limit;
    uint32_t slots, context_length; /* as asked for; 0: choose */
};

struct plan {
    uint32_t slots, context_length; /* context_length tokens in each slot */
};

/* ERR_UNAVAILABLE when not even one slot of PLAN_CONTEXT_MIN tokens (or of a smaller context asked for) fits. */
MUST_CHECK bool plan_make(const struct plan_input *input, struct plan *plan, struct err *err);

#endif
