/* An answer as any format can write it: neutral, without a word of a public form. Types only. */
#ifndef NATARIS_CALL_ANSWER_H
#define NATARIS_CALL_ANSWER_H

#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

/* The texts that a request has the model go on with, where its form may have several, or wants them said again. */
struct call_prompts {
    const struct str *items;
    size_t count;
    bool echo; /* each is what its answer begins with */
};

/* One of several texts that a call's answer is. */
struct call_choice {
    struct str text;
    enum gen_finish finish;
};
struct call_logprobs; /* call/logprobs.h */

/* How a call ended, as its executor tells it. Borrowed for the call. */
struct call_result {
    enum gen_finish finish;
    uint32_t stop; /* of the request's stop strings, the one that has ended it, from 1; 0: none, or nobody tells */
    struct gen_usage usage;
    const char *provider_id;     /* NULL in the sandbox */
    const char *provider_region; /* two letters; NULL or "" when unknown */
    const char *inference_type;  /* "p2p", "cloud", "sandbox" or "workflow" */
    uint32_t attempts, ttft_ms, latency_ms;
    uint32_t continued; /* so many times another device went on with the answer */
    int64_t cost_nano;  /* nano-dollars that it was charged */
    /* Made of several generations: the usage is that of all of them, and the executor has stored the end by itself. */
    bool composed;
    bool repeated;                     /* it had ended before: this is what was stored */
    const struct call_choice *choices; /* one for each prompt of several, in their order */
    size_t choice_count;               /* 0: the answer is one text */
    struct str tool_calls; /* JSON array of calls of the caller's tools, in place of a text; empty: it is a text */
    struct str
        nataris; /* JSON object that tells how it was made, in the executor's words; empty: by the members above */
};

struct answer {
    const char *id;
    struct str model, text;
    const struct gen_tool_call *calls; /* of the client's tools; their ids are ours */
    size_t call_count;
    const struct call_prompts *prompts; /* NULL: as with a call's input */
    struct str stop;                    /* the stop string that has ended it; empty: none, or nobody tells which */
    int64_t created_ms;                 /* wall clock */
    const struct call_result *result;
    struct str echo;                      /* members of the answer that repeat its request (call/input.h) */
    const struct call_logprobs *logprobs; /* NULL: they were not asked for */
    bool kept;                            /* under its id, for its client */
    struct str ignored; /* members of "nataris" that name fields of the request that were ignored; empty: none */
};

#endif
