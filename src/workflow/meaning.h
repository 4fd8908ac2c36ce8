/* What the output of a step means. Pure. */
#ifndef NATARIS_WORKFLOW_MEANING_H
#define NATARIS_WORKFLOW_MEANING_H

#include "base/buf.h"
#include "workflow/scene.h"
#include "workflow/toolbox.h"

/* What an output means. A review approves with "APPROVED" (or "no faults", "looks good", "correct" in its first line)
 * and finds faults with "FAULTS" or a list; when in doubt it approves: a small model that rambles must not cost a
 * round. A think: "Action: name[argument]" or "Action: name(argument)", or "Action: name" and "Action Input: argument"
 * on the next line; "Answer: ..." or "Final Answer: ..."; neither: the whole text is the answer. An action with an
 * unknown tool is answered by an observation that names those there are. Whatever the model writes behind an action (it
 * makes up observations) is ignored. */
struct workflow_meaning {
    enum core_step_outcome outcome;
    struct str text;         /* the part that counts: an answer without its label; else the whole. Part of the output */
    enum workflow_tool tool; /* of CORE_OUTCOME_ACTION and CORE_OUTCOME_CALL */
    bool unknown_tool;       /* of CORE_OUTCOME_ACTION: there is none of that name */
    struct str tool_name;    /* part of the output, likewise `argument` */
    struct str argument;
    const struct orchestration_tool *called; /* of CORE_OUTCOME_CALL */
};
struct workflow_meaning workflow_step_meaning(const struct workflow_scene *scene, uint32_t step, struct str output);
/* The answer's text made of a step's output: without the label of an answer, fences kept as they are. */
struct str workflow_answer_text(enum core_step_name name, struct str output);
/* A call as the API tells it: the argument as JSON object: as it is if it is one, else under the only parameter's name,
 * else under "input". */
void workflow_call_arguments(struct json_parser *parser, const struct workflow_meaning *meaning, struct buf *out);

#endif
