/* What a request says about the workflow that is to answer it: "orchestration" and "tools" of a chat. */
#ifndef NATARIS_FORMAT_ORCHESTRATION_H
#define NATARIS_FORMAT_ORCHESTRATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "core/workflow.h"
#include "format/fields.h"
#include "format/tools.h"

enum { ORCHESTRATION_STEPS_DEFAULT = 10 };

/* Strings are in the request's arena. */
struct orchestration {
    bool enabled;
    bool automatic; /* "auto" or none given: `kind` is chosen by workflow_choose */
    enum core_workflow_kind kind;
    uint32_t max_steps;
    int64_t max_cost_nano; /* negative: no cap */
    const struct orchestration_tool *tools;
    size_t tool_count;
};

/* What holds when nothing is said: not enabled, "auto", the default of steps, no cap, no tools. */
void orchestration_init(struct orchestration *asked);
/* For durability: everything above as one JSON object, and back. */
void orchestration_write(const struct orchestration *asked, struct json_writer *writer);
MUST_CHECK bool orchestration_read_stored(struct json_value object, struct arena *arena, struct orchestration *out,
                                          struct err *err);
/* "orchestration" as a client writes it; err->field is such as "orchestration.max_steps". null counts as absent,
 * unknown members are refused by name. Sets everything but the tools. */
MUST_CHECK bool orchestration_read(struct json_value value, struct orchestration *out, struct err *err);
/* "research", ..., "auto" in any case of letters; false: none of them. */
MUST_CHECK bool orchestration_kind_read(struct str name, bool *automatic, enum core_workflow_kind *kind);
/* What a chat says: "orchestration" and "tools" of its body, in *out, which is NULL when it says nothing of either.
 * Those of a request that no workflow can answer are refused unless they ask for nothing. */
MUST_CHECK bool orchestration_read_content(const struct fields_content *content, struct arena *arena,
                                           const struct orchestration **out, struct err *err);
MUST_CHECK bool orchestration_refuse(const struct fields_content *content, struct err *err);

#endif
