/* What each step asks a model: its prompt, put together from the words in workflow/prompts.c and what was said and
 * made. Pure: the same for the same input, so that a step is composed again after a crash. */
#ifndef NATARIS_WORKFLOW_COMPOSE_H
#define NATARIS_WORKFLOW_COMPOSE_H

#include "workflow/scene.h"

/* The generation of a step that is no local one: two messages (system, user) with what the step needs, of a
 * think the turns of workflow/agent_prompt.h, shortened in the
 * middle where it does not fit (never the step's own words), max_tokens, sampling and stop strings. The last step of a
 * workflow takes the client's max_tokens, system text, and stop strings; those before it WORKFLOW_STEP_TOKENS at most.
 * Strings are in the arena. False: the arena is full. */
MUST_CHECK bool workflow_step_compose(const struct workflow_scene *scene, uint32_t step, struct arena *arena,
                                      struct gen_request *out);
/* Of the messages' texts. */
void workflow_prompt_digest(const struct gen_request *generation, uint8_t out[32]);

#endif
