/* What one job asks of an engine and what comes back: shared by API, link, provider and engines. */
#ifndef NATARIS_WIRE_GENERATION_H
#define NATARIS_WIRE_GENERATION_H

#include "base/arena.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/str.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum gen_role { GEN_ROLE_SYSTEM, GEN_ROLE_USER, GEN_ROLE_ASSISTANT, GEN_ROLE_TOOL };
const char *gen_role_name(enum gen_role role); /* "system", "user", "assistant", "tool" */
bool gen_role_from_name(struct str name, enum gen_role *out);

struct gen_tool_call {
    struct str id, name, arguments; /* arguments: the JSON text as the model wrote it */
};

struct gen_message {
    enum gen_role role;
    struct str content;      /* empty beside tool calls */
    struct str tool_call_id; /* for GEN_ROLE_TOOL */
    const struct gen_tool_call *tool_calls;
    size_t tool_call_count;
};

/* Added to the logit of a token before anything else is done with it. */
struct gen_bias {
    uint32_t token; /* its number in the vocabulary of the model that serves */
    double bias;    /* -GEN_BIAS_MAX to GEN_BIAS_MAX, not 0 */
};

#define GEN_BIAS_MAX 100.0

/* Who makes the answer is to sign what it has delivered (docs/RECEIPTS.md). */
struct gen_signing {
    struct str salt;  /* of the digest, in hexadecimal; empty: no signature is asked for */
    uint32_t attempt; /* the number of the try */
};

/* All strings and arrays are borrowed (usually from one arena). */
struct gen_request {
    struct str model;
    const struct gen_message *messages; /* goes through the model's chat template ... */
    size_t message_count;
    struct str prompt; /* ... or, when message_count is 0, plain text to continue */
    uint32_t max_tokens;
    bool max_tokens_given; /* false: a default that may be lowered to fit the context */
    double temperature, top_p, frequency_penalty, presence_penalty;
    double repeat_penalty; /* 1.0 = off */
    double min_p;          /* tokens less likely than this share of the likeliest one are left out; 0 = off */
    uint32_t top_k;        /* 0 = off */
    bool seed_given;
    uint64_t seed; /* below 2^63: JSON readers know signed integers, so the top bit is dropped on the wire */
    struct str stop[LIMIT_STOP_STRINGS];
    size_t stop_count;
    const struct gen_bias *biases; /* of different tokens, at most LIMIT_LOGIT_BIASES */
    size_t bias_count;
    bool logprobs;         /* tell how likely each token was (wire/logprobs.h) ... */
    uint32_t top_logprobs; /* ... and so many of those that might have come, up to LIMIT_LOGPROB_OTHERS */
    struct str grammar;    /* that the answer keeps to, in GBNF (grammar/gbnf.h); empty: none */
    bool stream;           /* false: the device may gather deltas and send few large ones */
    /* What the client has of the answer already, made by a device that was lost: generate what follows it. Its tokens
     * count neither as prompt nor as completion; max_tokens is what may still be generated. Usually empty. */
    struct str continue_text;
    /* Jobs share what is cached of their prompts only with jobs of an equal scope; one whose scope is empty shares with
     * nobody. At most LIMIT_LINK_SCOPE_BYTES, opaque. Not a member that gen_request_write writes: a link's job has it
     * beside the request. */
    struct str scope;
    struct gen_signing signing; /* likewise */
};

/* Sets the defaults (temperature 0.7, top_p 0.9, top_k 40, repeat_penalty 1.0, max_tokens 256). */
void gen_request_init(struct gen_request *request);
/* Writes the members of the request into the open object of `writer`. */
void gen_request_write(const struct gen_request *request, struct json_writer *writer);
/* Reads what gen_request_write wrote, checking every type and range; strings are copied into the arena. Unknown members
 * are ignored (newer peers). */
MUST_CHECK bool gen_request_read(struct json_value object, struct arena *arena, struct gen_request *request,
                                 struct err *err);

/* Makes everything that the request borrows its own, in the arena. False: the arena is full, and the request is half of
 * both: it must not be used. */
MUST_CHECK bool gen_request_copy(struct arena *arena, struct gen_request *request);
/* Whether both ask for the same: every member, texts by their bytes. */
bool gen_request_equal(const struct gen_request *a, const struct gen_request *b);

enum gen_finish { GEN_FINISH_STOP, GEN_FINISH_LENGTH, GEN_FINISH_CANCELLED };
const char *gen_finish_name(enum gen_finish finish); /* "stop", "length", "cancelled" */
bool gen_finish_from_name(struct str name, enum gen_finish *out);

/* Why an engine or device could not do a job. */
enum gen_failure {
    GEN_FAILURE_BAD_REQUEST,    /* the client's fault, as an engine says; a gateway asks another one */
    GEN_FAILURE_CONTEXT_LENGTH, /* prompt + max_tokens do not fit: the client's fault */
    GEN_FAILURE_OVERLOADED,     /* no slot free after all: try elsewhere */
    GEN_FAILURE_MODEL_MISSING,  /* not loaded here: try elsewhere */
    GEN_FAILURE_ENGINE,         /* the engine broke: try elsewhere */
    GEN_FAILURE_DRAINING,       /* the device takes no new jobs: try elsewhere */
};
const char *gen_failure_name(enum gen_failure failure); /* "bad_request", "context_length", ... */
bool gen_failure_from_name(struct str name, enum gen_failure *out);

struct gen_usage {
    uint32_t prompt_tokens, completion_tokens;
    uint32_t cached_tokens; /* part of prompt_tokens found in a slot's KV prefix */
};

struct gen_timings {
    uint32_t queue_ms, prefill_ms, decode_ms;
};

struct gen_done {
    enum gen_finish finish;
    uint32_t stop; /* which of the request's stop strings has ended it, from 1; 0: none has, or nobody tells */
    struct gen_usage usage;
    struct gen_timings timings;
};

#ifdef __cplusplus
}
#endif
#endif
