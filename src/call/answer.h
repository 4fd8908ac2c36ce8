/* An answer as any format can write it: neutral, without a word of a public form. Types only. */
#ifndef NATARIS_CALL_ANSWER_H
#define NATARIS_CALL_ANSWER_H

#include "base/str.h"
#include "wire/generation.h"

#include <stdbool.h>
#include <stdint.h>

/* How a call ended, as its executor tells it. Borrowed for the call. */
struct call_result {
    enum gen_finish finish;
    struct gen_usage usage;
    const char *provider_id;     /* NULL in the sandbox */
    const char *provider_region; /* two letters; NULL or "" when unknown */
    const char *inference_type;  /* "p2p", "cloud", "sandbox" or "workflow" */
    uint32_t attempts, ttft_ms, latency_ms;
    uint32_t continued; /* so many times another device went on with the answer */
    int64_t cost_nano;  /* nano-dollars that it was charged */
    /* Made of several generations: the usage is that of all of them, and the executor has stored the end by itself. */
    bool composed;
    bool repeated;         /* it had ended before: this is what was stored */
    struct str tool_calls; /* JSON array of calls of the caller's tools, in place of a text; empty: it is a text */
    struct str
        nataris; /* JSON object that tells how it was made, in the executor's words; empty: by the members above */
};

struct answer {
    const char *id;
    struct str model, text;
    int64_t created_ms; /* wall clock */
    const struct call_result *result;
    struct str ignored; /* members of "nataris" that name fields of the request that were ignored; empty: none */
};

#endif
