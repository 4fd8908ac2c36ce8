/* What a step's prompt and its meaning are made from. Types only. */
#ifndef NATARIS_WORKFLOW_SCENE_H
#define NATARIS_WORKFLOW_SCENE_H

#include "core/workflow.h"
#include "format/orchestration.h"
#include "workflow/chunks.h"

/* Everything a step's prompt is made of. Borrowed. */
struct workflow_scene {
    const struct gen_request *request; /* what the client asked: messages (a conversation's in front), sampling */
    const struct orchestration *asked;
    const struct core_workflow *workflow;
    const struct str *outputs;     /* one for each step; empty where there is none yet */
    struct workflow_chunks chunks; /* map_reduce, once its chunk step is done */
    int64_t now_ms;                /* the time that an agent is told: that of its workflow's beginning */
    uint32_t context_length;
    struct tokens_rates
        rates; /* of its model, with a margin; twice that each time a device finds that it does not fit */
};

#endif
