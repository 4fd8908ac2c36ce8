/* The loaded model and its context: everything the child makes before the first job. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_MODEL_H
#define NATARIS_ENGINE_LLAMA_CHILD_MODEL_H

#include "base/err.h"
#include "engine/llama_child/cache_pages.h"
#include "engine/llama_child/plan.h"
#include "engine/llama_child/shim.h"

#include <llama.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum {
    MODEL_PREFILL_MAX = 512, /* prompt tokens in one step, over all slots */
    MODEL_REASON_MAX = 200,
};

struct model_options {
    const char *path;
    uint32_t slots, context_length; /* 0: choose */
    uint32_t threads;               /* 0: cores - 1, at least 1 */
    uint64_t memory_limit;          /* 0: half of the machine's available memory */
    bool held_to_plan; /* memory far beyond what was planned fails (sandbox_limit_memory); needs memory_limit */
};

/* Where llama.cpp's log goes: errors become lines of ours; the first one, which says most, is kept as the reason of a
 * failure. */
struct model_log {
    pthread_mutex_t lock;
    char first_error[MODEL_REASON_MAX];
};

struct model {
    struct llama_model *llama;
    const struct llama_vocab *vocab;
    struct llama_context *context;
    struct shim_templates *templates;
    struct cache_pages cache;
    struct plan plan;
    uint32_t batch_tokens; /* most tokens in one step */
    uint32_t outputs_max;  /* most of these whose logits are asked for */
    double tokens_per_ms;  /* of a prompt, measured once at the start */
    struct model_log log;
};

/* Loads the libraries for this processor, before the sandbox is entered. `model` must not move afterwards. */
MUST_CHECK bool model_prepare(struct model *model, struct err *err);
/* Loads; ERR_INVALID when the file is at fault (trying again is pointless), ERR_UNAVAILABLE otherwise. There is no
 * unload: the process ends instead. */
MUST_CHECK bool model_load(struct model *model, const struct model_options *options, struct err *err);
/* The vocabulary and the template only. Errors as those of model_load. */
MUST_CHECK bool model_load_vocabulary(struct model *model, const char *path, struct err *err);
/* Resident memory of this process at its most, in bytes. */
uint64_t model_memory(void);
/* Half of what the machine has available; cores - 1, at least 1. Both read files that the sandbox closes. */
uint64_t model_memory_limit_default(void);
uint32_t model_threads_default(void);

#endif
