/* What the parts of workflow_text.h share: where a request's words are. Pure. */
#ifndef NATARIS_WORKFLOW_SCENE_H
#define NATARIS_WORKFLOW_SCENE_H

#include "workflow/text.h"

enum {
    SCENE_QUESTION_BYTES = 240, /* a line of a document that may say what is to be done with it */
    SCENE_MAP_CAP_PART = 8,     /* of the context: what a map reads of the question, and of the client's system text */
};

/* The last message of the user; of a request without messages its prompt. */
struct str scene_task(const struct gen_request *request);
/* The task where there is a document: the last message of the user, if it is short; else its first and last lines, as far as
 * they are. Never both empty. */
void scene_question(const struct gen_request *request, struct str out[2]);
/* Of an output that is not the answer. */
uint32_t scene_step_tokens(uint32_t context_length);
int64_t scene_map_cap(uint32_t context_length);

/* What is written between "Action:" or "Answer:" of a think and the next label; by workflow/think.c. */
struct think_parts {
    bool action;
    struct str text; /* the answer; of an action what was thought before it */
    struct str name, argument;
};
struct think_parts think_read(struct str output);
/* The first line alone, when it is "name[argument]" and no more. */
bool think_read_bare(struct str output, struct think_parts *parts);
/* Of a tool, as scene_tool_find knows it. */
struct scene_tool {
    bool known;
    enum workflow_tool tool;
    const struct orchestration_tool *called;
};
struct scene_tool scene_tool_find(const struct orchestration *asked, struct str name);
/* Ours is hidden when the caller has one of the same name. */
bool scene_tool_is_hidden(const struct orchestration *asked, struct str name);

#endif
