/* What a think of an agent asks a model: a chat with turns of its own, as models of half a billion parameters need it.
 * Pure. */
#ifndef NATARIS_WORKFLOW_AGENT_PROMPT_H
#define NATARIS_WORKFLOW_AGENT_PROMPT_H

#include "workflow/fit.h"
#include "workflow/scene.h"

/* The pieces of the messages, and to which message each belongs. */
struct agent_prompt {
    struct fit_prompt pieces;
    uint32_t *turns;      /* of each piece */
    enum gen_role *roles; /* of each turn */
    uint32_t turn_count;
};

/* How many pieces and turns it takes at most. */
size_t agent_prompt_capacity(const struct workflow_scene *scene);
/* The system text (the client's, the time, the tools while it chooses), example turns while it chooses, the
 * conversation as its turns, of which the oldest are left out where there is no room, the question, and what was done
 * since. False: the arena is full. */
MUST_CHECK bool agent_prompt_make(const struct workflow_scene *scene, uint32_t step, struct arena *arena,
                                  struct agent_prompt *out);
/* What a template puts around its turns, beyond those that fit_template_tokens knows. */
int64_t agent_prompt_turn_tokens(const struct agent_prompt *prompt);
/* The messages of its pieces, once they are cut. False: the arena is full. */
MUST_CHECK bool agent_prompt_messages(const struct agent_prompt *prompt, struct arena *arena, struct gen_request *out);

#endif
