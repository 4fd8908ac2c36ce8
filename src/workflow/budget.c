#include "workflow/budget.h"

#include "workflow/fit.h"

enum {
    MAP_CAP_PART = 8,        /* of the context */
    REDUCE_OWN_TOKENS = 128, /* a reduce's own words and its question */
    REDUCE_PERCENT = 75,
};

uint32_t budget_step_tokens(uint32_t context_length) {
    const uint32_t quarter = fit_context(context_length) / 4;
    return quarter < WORKFLOW_STEP_TOKENS ? quarter : WORKFLOW_STEP_TOKENS;
}

int64_t budget_map_cap(uint32_t context_length) {
    return fit_context(context_length) / MAP_CAP_PART;
}

/* Outputs are counted by devices, prompts by rates with a margin. */
uint32_t budget_reduce_tokens(uint32_t context_length) {
    const int64_t room = (int64_t)fit_context(context_length) - fit_template_tokens(context_length) -
                         budget_step_tokens(context_length) - REDUCE_OWN_TOKENS;
    return room > 2 ? (uint32_t)(room * REDUCE_PERCENT / 100) : 1;
}
