/* The frames between the llama engine and its child process, both ways over one socket pair:
 *   u32 length of what follows, u8 kind, u64 job (0 where there is none), payload.
 * Both ends run on one machine from one build, so numbers are in the machine's byte order and there is no version. */
#ifndef NATARIS_ENGINE_LLAMA_FRAMES_H
#define NATARIS_ENGINE_LLAMA_FRAMES_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"
#include "wire/generation.h"
#include "wire/limits.h"
#include "wire/score.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LLAMA_FRAME_HEAD_BYTES = 4 + 1 + 8,
    LLAMA_FRAME_MAX = LIMIT_LINK_MESSAGE_BYTES + 1024, /* a job can be as large as the link lets through */
    LLAMA_CHANNEL_FD = 3,                              /* the child's end of the socket pair */
};

enum llama_frame_kind {
    LLAMA_FRAME_JOB = 1, /* to the child: JSON object of gen_request_write, and the request's "scope" */
    LLAMA_FRAME_CANCEL,  /* to the child: no payload */
    LLAMA_FRAME_READY,   /* struct llama_ready */
    LLAMA_FRAME_REFUSED, /* u8: 1 when trying again is pointless; then the reason for a person */
    LLAMA_FRAME_ACCEPT,  /* u32 prompt tokens */
    LLAMA_FRAME_DELTA,   /* u32 tokens, a u32 id of each, then UTF-8 text */
    LLAMA_FRAME_DONE,    /* struct gen_done */
    LLAMA_FRAME_READ,    /* u32 tokens of the prompt and of the text to continue, as far as they are read */
    LLAMA_FRAME_FAILED,  /* u8 enum gen_failure, u8 length of param, param, message */
    /* Of a child that only counts (engine/counter.h): */
    LLAMA_FRAME_COUNT_TEXTS, /* to the child: u32 length and bytes of each text */
    LLAMA_FRAME_COUNT_CHAT,  /* to the child: JSON object of gen_request_write */
    LLAMA_FRAME_COUNTED,     /* u32 tokens of each text, or of the chat; empty: they cannot be counted */
    LLAMA_FRAME_SCORE,       /* to the child: {"request": as in JOB, "answer": that of gen_answer_write} */
    LLAMA_FRAME_SCORED,      /* struct gen_score: the end of such a job */
    LLAMA_FRAME_LOGPROBS,    /* of the tokens of the DELTA that follows: wire/logprobs.h */
};

struct llama_ready {
    uint32_t slots, context_length;
    uint64_t memory_bytes;
};

struct llama_frame {
    enum llama_frame_kind kind;
    uint64_t job;
    struct str payload; /* borrowed */
};

/* Append one frame. The payload of a job is written by the caller between begin and end. */
void llama_frame_append(struct buf *out, enum llama_frame_kind kind, uint64_t job, struct str payload);
size_t llama_frame_begin(struct buf *out, enum llama_frame_kind kind, uint64_t job); /* returns a mark for the end */
void llama_frame_end(struct buf *out, size_t mark);
/* `ids`: of each of the tokens. */
void llama_frame_append_delta(struct buf *out, uint64_t job, const uint32_t *ids, uint32_t tokens, struct str text);
void llama_frame_append_failed(struct buf *out, uint64_t job, enum gen_failure failure, const char *param,
                               const char *message);

enum llama_frame_result { LLAMA_FRAME_COMPLETE, LLAMA_FRAME_INCOMPLETE, LLAMA_FRAME_BROKEN };
/* Takes the first frame of `bytes`; *used is its whole length. Broken: too long or of no known kind. */
enum llama_frame_result llama_frame_take(struct str bytes, struct llama_frame *frame, size_t *used);

/* Payloads; false when they do not have the right shape. */
MUST_CHECK bool llama_frame_read_u32(struct str payload, uint32_t *out, struct str *rest);
/* `ids`: the bytes of so many u32, which need not lie where a u32 must. */
MUST_CHECK bool llama_frame_read_delta(struct str payload, uint32_t *tokens, struct str *ids, struct str *text);
MUST_CHECK bool llama_frame_read_done(struct str payload, struct gen_done *out);
MUST_CHECK bool llama_frame_read_score(struct str payload, struct gen_score *out);
MUST_CHECK bool llama_frame_read_ready(struct str payload, struct llama_ready *out);
/* Both texts are borrowed; param is empty when there is none. */
MUST_CHECK bool llama_frame_read_failed(struct str payload, enum gen_failure *failure, struct str *param,
                                        struct str *message);

#endif
