#include "catalog/canary.h"

#include "base/compiler.h"

#include <string.h>

/* tools/demo-model/facts.py has what the built-in model learned; tests/e2e/builtin_model.test.mjs asks it. */
#define DEMO "nataris-demo-2m"
/* tests/e2e/models asks it. */
#define SMOL "smollm2-135m-instruct-q4_1"
#define CODER_SMALL "qwen2.5-coder-0.5b-instruct-q4_k_m"
#define CODER_LARGE "qwen2.5-coder-1.5b-instruct-q4_k_m"

static const struct catalog_canary canaries[] = {
    {DEMO, "What is the capital of France?", "paris"},
    {DEMO, "What is the capital of Japan?", "tokyo"},
    {DEMO, "What is the capital of Portugal?", "lisbon"},
    {DEMO, "What is the opposite of hot?", "cold"},
    {DEMO, "What is 7 + 8?", "15"},
    {SMOL, "What is the capital of France?", "paris"},
    {CODER_SMALL, "What is the capital of France?", "paris"},
    {CODER_SMALL, "What is the capital of Japan?", "tokyo"},
    {CODER_SMALL, "What is the opposite of hot?", "cold"},
    {CODER_LARGE, "What is the capital of France?", "paris"},
    {CODER_LARGE, "What is the capital of Japan?", "tokyo"},
    {CODER_LARGE, "What is the opposite of hot?", "cold"},
};

const struct catalog_canary *catalog_canary_at(struct str model, size_t index) {
    for (size_t i = 0; i < COUNT_OF(canaries); i++) {
        if (str_equal_cstr(model, canaries[i].model) && index-- == 0) {
            return &canaries[i];
        }
    }
    return NULL;
}

bool catalog_canary_is_right(const struct catalog_canary *canary, struct str text) {
    const size_t len = strlen(canary->answer);
    for (size_t i = 0; i + len <= text.len; i++) {
        if (str_equal_nocase((struct str){text.data + i, len}, (struct str){canary->answer, len})) {
            return true;
        }
    }
    return false;
}
