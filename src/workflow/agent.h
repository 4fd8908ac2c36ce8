/* What an agent has done so far, and what follows from it for its next think. Pure. */
#ifndef NATARIS_WORKFLOW_AGENT_H
#define NATARIS_WORKFLOW_AGENT_H

#include "base/buf.h"
#include "workflow/action.h"
#include "workflow/scene.h"

enum { AGENT_CALLS_MAX = 3 /* the same call; the last of them is not made */ };

/* The output of a think that nobody generates: a plain question for a sum or the time names its tool. False: the
 * question is another one, or the caller has a tool of that name. */
bool agent_rule(const struct gen_request *request, const struct orchestration *asked, struct buf *out);

enum agent_mode {
    AGENT_CHOOSES, /* whether it needs a tool */
    AGENT_ANSWERS, /* a plain chat, with what the tools have said behind the question */
};
/* Of this think. It chooses at first, and once more after a tool has found a fault in what it was given; it answers
 * when there is something to say, when it called what there is not, what it has called before, when it has only
 * repeated what it was told, and when no step is left. */
enum agent_mode agent_mode(const struct workflow_scene *scene, uint32_t step);
/* No generation may follow this one. */
bool agent_is_last(const struct workflow_scene *scene, uint32_t step);
/* Whether a think before this one only repeated what it was told. */
bool agent_has_echoed(const struct workflow_scene *scene, uint32_t step);
/* What the tools of before this step have said, a sentence each, for the model to tell the user: nothing where they
 * have said nothing. *again: the last call was made before. */
void agent_facts_append(const struct workflow_scene *scene, uint32_t step, struct buf *out, bool *again);
/* The same for a user who gets no other answer: "17*23 = 391". */
void agent_results_append(const struct workflow_scene *scene, struct buf *out);

/* How often this call was made before: by a think before this step, or in the request. *earlier is what came of it. */
size_t agent_called_before(const struct workflow_scene *scene, uint32_t step, const struct workflow_meaning *call,
                           struct str *earlier);
/* The answer is no answer: it is empty, the question, the instructions, or a part of them that is long enough not to be
 * chance; or it does not say the result of a plain sum. */
bool agent_echoes(const struct workflow_scene *scene, uint32_t step, struct str answer);

#endif
