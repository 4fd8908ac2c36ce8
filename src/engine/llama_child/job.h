/* One job as the batcher needs it: the request is parsed, templated and tokenized before it gets here. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_JOB_H
#define NATARIS_ENGINE_LLAMA_CHILD_JOB_H

#include "base/str.h"
#include "engine/llama_child/constraint.h"
#include "engine/llama_child/prompt.h"
#include "engine/llama_child/score.h"
#include "engine/llama_frames.h"
#include "engine/stop_filter.h"
#include "wire/generation.h"

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

/* Of a job that does not generate: an answer that is to be scored. */
struct job_answer {
    uint32_t *ids;   /* owned, behind those of the text that it continues; NULL: it generates */
    uint32_t scored; /* so many of them */
    bool score_end;  /* and that it ends there */
    bool spells;     /* the ids spell the text */
    struct score_rule rule;
};

struct job {
    uint64_t id;
    struct prompt prompt;
    uint32_t max_tokens; /* fits behind the prompt; 0: a continuation for which nothing is left */
    bool stream, seed_given;
    bool logprobs; /* tell how likely its tokens are, with so many others: */
    uint32_t top_logprobs;
    char scope[LIMIT_LINK_SCOPE_BYTES + 1]; /* whose cache it may use; empty: nobody's */
    bool promised;                          /* a slot is kept for it, and the parent knows that it is accepted */
    struct llama_sampler *sampler;          /* one of these two */
    struct constraint *constraint;
    struct stop_filter filter;
    struct job_answer answer;
    uint64_t received_us;
    struct job *next, *prev;
};

/* Why a job was refused. */
struct job_refusal {
    enum gen_failure failure;
    char param[ERR_FIELD_MAX]; /* empty when none */
    char message[ERR_MESSAGE_MAX];
};

/* Turns job frames into jobs. */
struct job_maker;
struct job_maker *job_maker_new(const struct model *model);
/* From a frame JOB or SCORE. NULL: the refusal is filled. */
struct job *job_maker_make(struct job_maker *maker, const struct llama_frame *frame, struct job_refusal *refusal);
/* The next token of its answer, from the logits of that row of the last batch. False: its grammar allows none. */
MUST_CHECK bool job_pick(struct job *job, struct llama_context *context, int32_t row, llama_token *out);
/* Tokens of its prompt, without those of the text that it continues. */
uint32_t job_prompt_tokens(const struct job *job);
/* Appends the frame that tells the parent that it is accepted. */
void job_append_accept(const struct job *job, struct buf *frames);
void job_free(struct job *job);

#endif
