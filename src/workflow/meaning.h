/* What the output of a step means. Pure. */
#ifndef NATARIS_WORKFLOW_MEANING_H
#define NATARIS_WORKFLOW_MEANING_H

#include "workflow/action.h"
#include "workflow/scene.h"

/* A review approves as workflow/review.h has it. A think answers or calls as workflow/action.h has it, but for what
 * workflow/agent.h knows of those before it: a call made for the third time is CORE_OUTCOME_LOOP, an answer that only
 * repeats what it was told CORE_OUTCOME_ECHO. */
struct workflow_meaning workflow_step_meaning(const struct workflow_scene *scene, uint32_t step, struct str output);
/* The answer's text made of a step's output: without the label of an answer, fences kept as they are. */
struct str workflow_answer_text(enum core_step_name name, struct str output);

#endif
