/* Workflows: several generations ("steps") that make one answer. Which step comes next, whether it may begin, when the
 * workflow is over and what its answer is. Pure: texts stay outside. A step is told by its name and by the steps whose
 * outputs it reads; what an output means (a verdict, an action) comes in as its outcome. The same outcomes give the
 * same steps, so a workflow is rebuilt from its stored steps after a crash.
 *
 * workflow    steps
 * ----------  ---------------------------------------------------------------------------------------------------------
 * research    research -> analyze -> write
 * code        plan -> implement -> review; when it finds faults: -> implement, once
 * agent       think -> act -> think -> ... until a think answers, or calls a tool of the caller. A think that only
 * repeats what it was told is done once more; the second one, and a call made a third time, end it NO_ANSWER; but where
 * the first think was by rule,
 *             what its tool said is the answer, and it ends COMPLETED
 * map_reduce  chunk -> map, in parallel -> reduce, in a tree, until one output is left
 *
 * chunk and act are local, and a think by rule: nobody generates, they cost nothing and do not count as steps executed.
 * When max_steps is too low for every chunk, the first ones are mapped, one step is left to reduce them, and the
 * workflow ends MAX_STEPS. So it does when too few are left for the tree: one reduce then reads all outputs that there
 * are, though they are over reduce_tokens.
 *
 * What a step reads: analyze the research; write both; implement the plan, the second time the first implement and its
 * review; review the implement; act its think; think all that was before it; reduce a group of the level below it,
 * whose steps lie side by side. A level is planned when the one below is DONE as a whole, so it does not depend on who
 * was first. */
#ifndef NATARIS_CORE_WORKFLOW_H
#define NATARIS_CORE_WORKFLOW_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stdint.h>

enum core_workflow_kind { /* stored by number */
                          CORE_WORKFLOW_RESEARCH,
                          CORE_WORKFLOW_CODE,
                          CORE_WORKFLOW_AGENT,
                          CORE_WORKFLOW_MAP_REDUCE,
                          CORE_WORKFLOW_KINDS,
};
const char *core_workflow_kind_name(enum core_workflow_kind kind); /* "research", "code", "agent", "map_reduce" */

enum core_workflow_status { /* stored by number */
                            CORE_WORKFLOW_RUNNING,
                            CORE_WORKFLOW_COMPLETED,
                            CORE_WORKFLOW_FAILED,
                            CORE_WORKFLOW_CANCELLED,
                            CORE_WORKFLOW_BUDGET_EXCEEDED, /* the answer is the best that there is, likewise the next */
                            CORE_WORKFLOW_MAX_STEPS,
                            CORE_WORKFLOW_NO_ANSWER, /* an agent that only repeats itself or what it was told */
                            CORE_WORKFLOW_STATUSES,
};
const char *core_workflow_status_name(enum core_workflow_status status); /* "RUNNING", "BUDGET_EXCEEDED", ... */

enum core_step_name { /* stored by number */
                      CORE_STEP_RESEARCH,
                      CORE_STEP_ANALYZE,
                      CORE_STEP_WRITE,
                      CORE_STEP_PLAN,
                      CORE_STEP_IMPLEMENT,
                      CORE_STEP_REVIEW,
                      CORE_STEP_THINK,
                      CORE_STEP_ACT,
                      CORE_STEP_CHUNK,
                      CORE_STEP_MAP,
                      CORE_STEP_REDUCE,
                      CORE_STEP_NAMES,
};
const char *core_step_name_text(enum core_step_name name); /* "research", "analyze", ... */

enum core_step_state { /* stored by number */
                       CORE_STEP_READY,
                       CORE_STEP_RUNNING,
                       CORE_STEP_DONE,
                       CORE_STEP_FAILED, /* or cancelled */
};

enum core_step_outcome {                        /* stored by number */
                         CORE_OUTCOME_TEXT,     /* nothing but its output; of a chunk step: it has `parts` */
                         CORE_OUTCOME_APPROVED, /* review: no faults */
                         CORE_OUTCOME_FAULTS,
                         CORE_OUTCOME_ANSWER, /* think: this is the answer */
                         CORE_OUTCOME_ACTION, /* think: a tool of ours is to act */
                         CORE_OUTCOME_CALL,   /* think: a tool of the caller is called, which ends the workflow */
                         CORE_OUTCOME_ECHO,   /* think: it repeats the question or its instructions */
                         CORE_OUTCOME_LOOP,   /* think: an action for the third time */
                         CORE_OUTCOMES,
};

enum {
    CORE_WORKFLOW_STEPS_MAX = 1000, /* bound on core_workflow_config.max_steps */
    CORE_WORKFLOW_PARTS_MAX = 4000, /* chunks; more are taken as so many */
    CORE_NO_STEP = UINT32_MAX,
};

struct core_step {
    enum core_step_name name;
    enum core_step_state state;
    bool local;
    uint32_t round;                    /* from 1: of implement, think, act; of reduce its level; of all others 1 */
    uint32_t part;                     /* map: its chunk; reduce: its place in its level */
    uint32_t first_input, input_count; /* it reads the outputs of these steps, which are DONE */
    int64_t hold_nano;                 /* while RUNNING */
    int64_t cost_nano;
    uint32_t tokens; /* of its output */
    enum core_step_outcome outcome;
};

struct core_workflow_config {
    enum core_workflow_kind kind;
    uint32_t max_steps;    /* generations; 1 to CORE_WORKFLOW_STEPS_MAX, bounded here */
    int64_t max_cost_nano; /* negative: no cap */
    bool by_rule;          /* agent: the first think is local; what it says follows from the question */
    uint32_t
        reduce_tokens; /* of outputs that one reduce may read; it reads two at least, however long they are: the last
                             * of a level that would be alone takes one from the group before it, or joins it as its
                             * third */
};

struct core_workflow {
    struct core_workflow_config config;
    struct core_step *steps; /* in the order they were planned; their place is their number and never changes. The array
                              * moves when more are planned: by core_workflow_done only */
    uint32_t step_count, step_capacity;
    uint32_t ready;    /* steps that are READY */
    uint32_t running;  /* steps that are RUNNING */
    uint32_t executed; /* generations that have begun */
    int64_t spent_nano, held_nano;
    uint32_t parts; /* chunks, once the chunk step is DONE */
    bool part_cut;  /* too few steps: not all chunks were mapped, or not all was reduced in groups of reduce_tokens */
    enum core_workflow_status ending; /* RUNNING, or how it ends as soon as nothing runs */
};

struct core_workflow *core_workflow_new(const struct core_workflow_config *config);
void core_workflow_free(struct core_workflow *workflow); /* NULL is fine */

/* A step that may begin now, the lowest number first; CORE_NO_STEP: none, because some run or it is over. */
uint32_t core_workflow_next(const struct core_workflow *workflow);
/* What further steps may cost at most: cap - spent - held; INT64_MAX without a cap. */
int64_t core_workflow_left_nano(const struct core_workflow *workflow);
/* A READY step runs from now on, and so much of the budget is held for it. False: that is more than is left, or the
 * workflow is ending; nothing has changed. The caller then asks for less, waits for a running step to give back what it
 * does not need, or ends the workflow. */
MUST_CHECK bool core_workflow_begin(struct core_workflow *workflow, uint32_t step, int64_t hold_nano);
/* The same for a step that had begun before a crash: it was checked then. Steps are restored by their numbers, each
 * followed by its done or failed if it has ended; also behind one that has failed. */
void core_workflow_restore(struct core_workflow *workflow, uint32_t step, int64_t hold_nano);

struct core_step_result {
    enum core_step_outcome outcome;
    int64_t cost_nano; /* never over its hold; more is counted all the same */
    uint32_t tokens;
    uint32_t parts; /* of chunk: at least 1 */
};
/* A RUNNING step has its output: what follows is planned. */
void core_workflow_done(struct core_workflow *workflow, uint32_t step, const struct core_step_result *result);
/* A RUNNING step has failed or was cancelled; it may have cost something. The workflow ends FAILED, unless it is
 * ending. */
void core_workflow_failed(struct core_workflow *workflow, uint32_t step, int64_t cost_nano);
/* No step begins any more; with `status` (not RUNNING) as soon as nothing runs. The first word counts. */
void core_workflow_stop(struct core_workflow *workflow, enum core_workflow_status status);

/* RUNNING until it is over and nothing runs. */
enum core_workflow_status core_workflow_status(const struct core_workflow *workflow);
/* The output of this step, once it is DONE, is the whole answer, whatever it says: it may be streamed. False when that
 * is not sure (a think may ask for an action, a review may find faults). True also of what max_steps makes the last
 * step. */
bool core_workflow_is_last(const struct core_workflow *workflow, uint32_t step);
/* The steps whose outputs, one behind the other, are the answer: the best that there is. `count` 0: nothing. After the
 * end. research: the last of its steps that is DONE. code: the last implement, else the plan. agent: the think that
 * answered, else the last think. map_reduce: the outputs of the last level of the tree that is DONE as a whole, since
 * it tells of all that was mapped; before the maps are all DONE the most that are DONE side by side, the first of
 * equals. */
void core_workflow_answer(const struct core_workflow *workflow, uint32_t *first, uint32_t *count);
/* How many generations there would be if nothing is cut, for an estimate: `parts` chunks (1 but for map_reduce) of
 * which outputs of `part_tokens` come. A loop (agent, a review's faults) is counted once. Writes at most `capacity` of
 * them, without the local steps; inputs are numbered as in the workflow, max_steps is not looked at. */
uint32_t core_workflow_outline(const struct core_workflow_config *config, uint32_t parts, uint32_t part_tokens,
                               struct core_step *steps, uint32_t capacity);

/* For tests: NULL, or what does not hold. Budget never exceeded by what is held, executed within max_steps, inputs
 * DONE. */
const char *core_workflow_check(const struct core_workflow *workflow);

#endif
