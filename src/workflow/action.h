/* What a think of an agent says: an answer, or the call of a tool. Pure. */
#ifndef NATARIS_WORKFLOW_ACTION_H
#define NATARIS_WORKFLOW_ACTION_H

#include "base/buf.h"
#include "base/json_read.h"
#include "core/workflow.h"
#include "workflow/toolbox.h"

/* A call stands behind "Action:" (in the labels of many languages): name[argument], name(argument), a name and "Action
 * Input:" on the next line, a JSON object with name and arguments; or stands alone, as such an object, bare, in a code
 * fence or a <tool_call>, or as name[argument] of a tool that there is. "Answer: ..." is an answer, as is any other
 * text. Whatever the model writes behind a call (it makes up observations) is ignored. */
struct workflow_meaning {
    enum core_step_outcome outcome;
    struct str text;         /* the part that counts: an answer without its label; else the whole. Part of the output */
    enum workflow_tool tool; /* of CORE_OUTCOME_ACTION and CORE_OUTCOME_CALL */
    bool unknown_tool;       /* of CORE_OUTCOME_ACTION: there is none of that name */
    struct str tool_name;    /* part of the output, likewise `argument` */
    struct str argument;
    bool escaped;                            /* the argument was in a JSON string: \n and the like stand in it */
    const struct orchestration_tool *called; /* of CORE_OUTCOME_CALL */
};
struct workflow_meaning action_read(const struct orchestration *asked, struct str output);
/* The argument of a call without the escapes of JSON. */
void action_argument(const struct workflow_meaning *meaning, struct buf *out);
/* A call as the API tells it, as a JSON object (workflow/arguments.h). */
void workflow_call_arguments(struct json_parser *parser, const struct workflow_meaning *meaning, struct buf *out);

#endif
