/* The texts of workflows: what each step asks a model, and what its output means. Pure; the words themselves are in
 * conversation/prompts.c. Everything here gives the same result for the same input, so that a step is composed again after a crash. */
#ifndef NATARIS_WORKFLOW_TEXT_H
#define NATARIS_WORKFLOW_TEXT_H

#include "base/arena.h"
#include "base/buf.h"
#include "core/workflow.h"
#include "format/orchestration.h"
#include "wire/generation.h"

enum {
    WORKFLOW_STEP_TOKENS = 256, /* of an output that is not the answer, or a quarter of the context if that is less */
    WORKFLOW_ANSWER_TOKENS_MIN = 16, /* with less budget than for so many, a step does not begin */
    WORKFLOW_OVERLAP_PERCENT = 5,    /* of a chunk, repeated at the start of the next */
    WORKFLOW_OBSERVATION_BYTES = 2 * 1024,
    WORKFLOW_ARGUMENT_BYTES = 1024,
};

/* "auto": the rule, in this order, on the text of the last user message and the whole request.
 *  1. The longest message of the user does not fit half of the context: map_reduce.
 *  2. Tools were given: agent.
 *  3. It has a code block or words of programming ("function", "script", "bug", "implement", "python", "sql", ...): code.
 *  4. It asks to calculate, for the time or the date, or a third of it is an expression with digits: agent.
 *  5. Words of research ("research", "compare", "analyze", "report", "trends", "pros and cons", ...): research.
 *  6. Else agent, which takes one step where the model knows the answer.
 * Words are whole words in any case of letters. */
enum core_workflow_kind workflow_choose(const struct gen_request *request, const struct orchestration *asked,
                                        uint32_t context_length);

/* Tokens that a text has at most, for fitting: ASCII counts one for two bytes times `scale`, other text one for each byte. */
int64_t workflow_tokens(struct str text, uint32_t scale);

/* How a long text is cut: pieces of `bytes` bytes at most, each beginning `overlap` bytes before the end of the last one,
 * moved to the nearest end of paragraph, line, sentence or word, and never inside a character. */
struct workflow_chunks {
    uint32_t count;
    size_t bytes, overlap;
};
/* What is cut: the longest message of the user. */
struct str workflow_document(const struct gen_request *request);
/* Chunks that a map step can read in this context (less its own words and WORKFLOW_STEP_TOKENS); `scale` as above. */
struct workflow_chunks workflow_chunks_plan(const struct gen_request *request, uint32_t context_length, uint32_t scale);
struct str workflow_chunk(struct str document, const struct workflow_chunks *chunks, uint32_t index);
/* As the output of the chunk step: {"chunks":N,"bytes":B,"overlap":O}; and back. */
void workflow_chunks_write(const struct workflow_chunks *chunks, struct buf *out);
MUST_CHECK bool workflow_chunks_read(struct json_parser *parser, struct str text, struct workflow_chunks *out);
/* core_workflow_config.reduce_tokens for this context. */
uint32_t workflow_reduce_tokens(uint32_t context_length);

/* Everything a step's prompt is made of. Borrowed. */
struct workflow_scene {
    const struct gen_request *request; /* what the client asked: messages (a conversation's in front), sampling */
    const struct orchestration *asked;
    const struct core_workflow *workflow;
    const struct str *outputs;     /* one for each step; empty where there is none yet */
    struct workflow_chunks chunks; /* map_reduce, once its chunk step is done */
    uint32_t context_length;
    uint32_t scale; /* 1; doubled each time a device finds that the prompt does not fit */
};
/* The generation of a step that is no local one: two messages (system, user) with what the step needs, shortened in the middle
 * where it does not fit (never the step's own words), max_tokens, sampling and stop strings. The last step of a workflow takes
 * the client's max_tokens, system text, and stop strings; those before it WORKFLOW_STEP_TOKENS at most. Strings are in the arena.
 * False: the arena is full. */
MUST_CHECK bool workflow_step_compose(const struct workflow_scene *scene, uint32_t step, struct arena *arena,
                                      struct gen_request *out);
/* Of the messages' texts. */
void workflow_prompt_digest(const struct gen_request *generation, uint8_t out[32]);

/* The tools of an agent: ours first, then the caller's. */
enum workflow_tool { WORKFLOW_TOOL_CALCULATOR, WORKFLOW_TOOL_TIME, WORKFLOW_TOOL_SEARCH, WORKFLOW_TOOL_CALLER };

/* What an output means. A review approves with "APPROVED" (or "no faults", "looks good", "correct" in its first line) and
 * finds faults with "FAULTS" or a list; when in doubt it approves: a small model that rambles must not cost a round.
 * A think: "Action: name[argument]" or "Action: name(argument)", or "Action: name" and "Action Input: argument" on the next
 * line; "Answer: ..." or "Final Answer: ..."; neither: the whole text is the answer. An action with an unknown tool is answered by
 * an observation that names those there are. Whatever the model writes behind an action (it makes up observations) is ignored. */
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
/* A call as the API tells it: the argument as JSON object: as it is if it is one, else under the only parameter's name, else
 * under "input". */
void workflow_call_arguments(struct json_parser *parser, const struct workflow_meaning *meaning, struct buf *out);

/* The last message of the user: what lists show as the task, cut between characters to `size` with its NUL. */
void workflow_task(const struct gen_request *request, char *out, size_t size);

#endif
