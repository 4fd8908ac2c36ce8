/* An engine runs one model and generates text for jobs. Backends are const tables of functions; one contract test suite
 * (tests/contract/test_engine.c) runs on all of them. Everything happens on the loop's thread; events never come inside
 * a call of ours. */
#ifndef NATARIS_ENGINE_ENGINE_H
#define NATARIS_ENGINE_ENGINE_H

#include "base/err.h"
#include "base/str.h"
#include "net/loop.h"
#include "wire/generation.h"
#include "wire/score.h"

#include <stdbool.h>
#include <stdint.h>

struct engine;

enum engine_state { ENGINE_LOADING, ENGINE_READY, ENGINE_FAILED };

struct engine_facts { /* known once READY */
    uint32_t slots;
    uint32_t context_length; /* tokens per slot, after the cap by RAM */
    uint64_t memory_bytes;   /* resident, roughly */
    bool grammars;           /* it keeps answers to grammars; where engine_ops says so it need not be said here */
};

struct engine_events {
    /* LOADING -> READY; back to LOADING when a crashed child restarts; FAILED when it cannot load at all (`why` for a
     * person; the engine keeps trying with back-off unless the file itself is refused). */
    void (*on_state)(void *context, enum engine_state state, const struct engine_facts *facts, const char *why);
    /* The prompt was taken into a slot: its length is known (but at an upstream: 0) and prefill starts. */
    void (*on_accept)(void *context, uint64_t job, uint32_t prompt_tokens);
    /* So much of the prompt, and of the text that it continues, has been read, also what was found in a cache: every
     * now and then until the first text. NULL: nobody asks. */
    void (*on_read)(void *context, uint64_t job, uint32_t done_tokens);
    /* Whole UTF-8 characters; never any part of a stop string, nor what may become one. `tokens` counts the tokens this
     * text stands for, also those whose text was held back before; `ids` has so many, their numbers in the model's
     * vocabulary, as long as the call lasts; NULL: they are not known. Before the end a delta ends with a token (unless
     * that would hold back 64 KiB), so that another device can continue the text. The last one may be empty: tokens
     * that no text stands for. */
    void (*on_delta)(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens);
    /* Of a request that wants them: how likely the tokens of the delta that follows at once were (wire/logprobs.h), so
     * many as it counts. NULL: nobody asks. */
    void (*on_logprobs)(void *context, uint64_t job, struct str logprobs);
    /* Exactly one of these three ends a job. A cancelled job ends with on_done and GEN_FINISH_CANCELLED. */
    void (*on_done)(void *context, uint64_t job, const struct gen_done *done);
    /* Of a job of `score`; may be NULL where nobody asks for any. */
    void (*on_scored)(void *context, uint64_t job, const struct gen_score *score);
    void (*on_failed)(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param);
};

struct engine_options {
    struct loop *loop;
    const char *model_id;
    const char *model_path;  /* llama: the GGUF file */
    uint32_t slots;          /* 0: chosen by the engine */
    uint32_t context_length; /* tokens per slot; 0: the model's, capped by RAM */
    uint32_t threads;        /* 0: cores - 1, at least 1 */
    uint64_t memory_limit;   /* bytes the engine may plan with; 0: half of the machine's available RAM */
    const char *child_path;  /* llama: the nataris-llama executable; NULL: found next to this one */
    double script_rate;      /* scripted: tokens per second and slot; 0: no pacing */
    uint32_t script_load_ms; /* scripted: time it stays LOADING */
    uint32_t script_prefill_ms;
    const char *script;         /* scripted: words of a directive for every job, such as "lie=3 exit=20"; NULL: none */
    const char *upstream_url;   /* upstream: what its paths stand below, such as "http://127.0.0.1:11434/v1" */
    const char *upstream_key;   /* NULL: none */
    const char *upstream_model; /* the model's name there; NULL: model_id */
    const char *ca_file;        /* upstream: PEM authorities for https; NULL: the system's */
};

struct engine_ops {
    const char *name;               /* "llama", "scripted", "upstream" */
    bool needs_file;                /* it runs a model's file that is here */
    bool scores, grammars, samples; /* it does such jobs */
    /* Starts loading; returns at once. */
    MUST_CHECK bool (*open)(struct engine **out, const struct engine_options *options,
                            const struct engine_events *events, void *context, struct err *err);
    /* Takes a job (`job` is unique among running ones); more than `slots` jobs queue in the engine. The request is
     * copied. A model that is not READY fails the job with GEN_FAILURE_MODEL_MISSING (as an event). */
    void (*submit)(struct engine *engine, uint64_t job, const struct gen_request *request);
    /* How likely an answer is to come from this model, under what the request asks for. Such jobs use what others
     * leave: they begin when a slot is free, and stand back while others run. Nothing of them stays in a cache. Events:
     * on_scored, on_failed or, cancelled, on_done. Both are copied. */
    void (*score)(struct engine *engine, uint64_t job, const struct gen_request *request,
                  const struct gen_answer *answer);
    void (*cancel)(struct engine *engine, uint64_t job); /* unknown jobs are ignored */
    /* Ends everything, running jobs without further events; on_closed once no handle or child is left. */
    void (*close)(struct engine *engine, void (*on_closed)(void *context), void *context);
};

/* Every backend starts with this. */
struct engine {
    const struct engine_ops *ops;
};

extern const struct engine_ops ENGINE_LLAMA;
extern const struct engine_ops ENGINE_SCRIPTED;
extern const struct engine_ops ENGINE_UPSTREAM; /* docs/UPSTREAM.md */
/* By name; NULL when unknown. */
const struct engine_ops *engine_ops_find(const char *name);

#endif
