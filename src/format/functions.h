/* What an answer may be besides a text: JSON of a schema, or calls of the client's tools. "tools", "tool_choice" and
 * "response_format" of a chat, their older forms "functions" and "function_call"; or `flat` (format/fields.h), where a
 * function's members stand in the tool itself, a schema's in the format, and tools of other types are left out. */
#ifndef NATARIS_FORMAT_FUNCTIONS_H
#define NATARIS_FORMAT_FUNCTIONS_H

#include "call/tools.h"
#include "format/fields.h"
#include "grammar/calls.h"
#include "grammar/schema.h"

enum {
    FUNCTIONS_MAX = 128,
    FUNCTIONS_CALLS_MAX = 8, /* that must come, in one answer: small models never stop by themselves */
};

/* Reads all of them into out->tools and out->request.grammar. */
MUST_CHECK bool functions_read(const struct fields_content *content, struct arena *arena, struct call_input *out,
                               struct err *err);
/* Of a request that has no tools: "response_format" alone. The others are refused unless they ask for nothing. */
MUST_CHECK bool functions_read_format(const struct fields_content *content, struct arena *arena, struct call_input *out,
                                      struct err *err);
enum functions_choice { FUNCTIONS_AUTO, FUNCTIONS_NONE, FUNCTIONS_REQUIRED, FUNCTIONS_NAMED };

/* The same as another form has read it. Borrowed; the tools live in the arena. */
struct functions_asked {
    struct call_tool *tools;
    struct calls_tool *callable; /* the same, for the grammar */
    size_t count;
    enum functions_choice choice;
    struct str chosen; /* FUNCTIONS_NAMED: one of them */
    bool one_call;
    struct schema_source schema; /* that the answer is to be of; its schema of type JSON_NULL: of none */
};
MUST_CHECK bool functions_take(const struct functions_asked *asked, struct arena *arena, struct call_input *out,
                               struct err *err);
/* Whether "tool_choice" says "none". */
bool functions_unused(const struct fields_content *content);

#endif
