/* One sequence of the model's KV cache, and the job that runs in it. */
#ifndef NATARIS_ENGINE_LLAMA_CHILD_SLOT_H
#define NATARIS_ENGINE_LLAMA_CHILD_SLOT_H

#include "base/buf.h"
#include "engine/llama_child/job.h"

#include <llama.h>
#include <stdbool.h>
#include <stdint.h>

struct slot {
    llama_seq_id sequence;
    struct job *job;     /* owned; NULL: free */
    llama_token *tokens; /* prompt and answer; `cached` of them are in the KV cache, also after the job's end */
    char scope[LIMIT_LINK_SCOPE_BYTES + 1]; /* of its latest job: who may use what is cached */
    uint32_t length, cached;
    uint32_t step_tokens;   /* taking part in the present step */
    int32_t logits_at;      /* index in the present batch, or -1 */
    uint32_t reused_tokens; /* of the prompt, found in the cache */
    uint32_t completion_tokens;
    struct buf out; /* text not sent yet, and how many tokens were not reported yet */
    uint32_t out_tokens;
    struct buf logprobs; /* of these tokens, if they were asked for */
    /* So much of that may be sent. It ends with a token: if this device is lost, another one continues the text, and
     * would read a torn token as something else. */
    size_t ready_bytes;
    uint32_t ready_tokens;
    uint64_t accepted_us, first_token_us, sent_us;
    uint64_t told_us;   /* when it last told how far its prompt is read */
    uint64_t last_used; /* order of use, for choosing whose cache to lose */
};

void slot_init(struct slot *slot, llama_seq_id sequence, uint32_t context_length);
/* The free slot for a prompt: of its scope, the one whose cache has most of it, but a cache of another conversation is
 * not thrown away for a few common tokens while there is an older one. NULL: none is free. */
struct slot *slot_choose(struct slot *slots, uint32_t count, const struct job *job);
/* Puts the job in and drops what the cache has beyond the common prefix; all of it, when it is of another scope. */
void slot_take_job(struct slot *slot, struct job *job, llama_memory_t memory, uint64_t now_us);
/* Keeps no more than so many tokens in the cache; none, where a model's state cannot go back part of the way. */
void slot_forget_beyond(struct slot *slot, uint32_t keep, llama_memory_t memory);
/* Adds a token of the answer and its bytes; true when a stop string is complete. Nothing follows the last token, so the
 * caller counts it into `length` only when another step is to come. */
bool slot_add_token(struct slot *slot, llama_token token, struct str bytes);
/* Keeps how likely the token was that is added next; of a job that wants to know. */
void slot_add_logprobs(struct slot *slot, const struct llama_vocab *vocab, const float *logits, llama_token token);
/* Appends a delta frame with all text that may be shown, if there is any. */
void slot_flush(struct slot *slot, struct buf *frames, uint64_t now_us);
/* Appends a frame that tells how far its prompt is read, now and then. */
void slot_tell_read(struct slot *slot, struct buf *frames, uint64_t now_us);
/* Ends the job: remaining text, then DONE. The cache stays. */
void slot_finish(struct slot *slot, enum gen_finish finish, struct buf *frames, uint64_t now_us);
/* Ends the job with a failure and forgets the cache. */
void slot_fail(struct slot *slot, struct buf *frames, llama_memory_t memory, const char *message);

#endif
