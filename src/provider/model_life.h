/* Inside hosted_model: its states and what moves it from one to another (the table is in model_life.c). Not for
 * others. */
#ifndef NATARIS_PROVIDER_MODEL_LIFE_H
#define NATARIS_PROVIDER_MODEL_LIFE_H

#include "base/file.h"
#include "provider/hosted_model_options.h"
#include "provider/hosted_model_spec.h"
#include "provider/model_added.h"
#include "provider/model_fetch.h"
#include "provider/pending_jobs.h"

enum { MODEL_RETRY_MIN_MS = 60 * 1000 };

enum model_state {
    MODEL_FINDING,
    MODEL_COLD,
    MODEL_STARTING,
    MODEL_LOADING,
    MODEL_WARM,
    MODEL_BROKEN,
    MODEL_UNLOADING,
    MODEL_FAILED,
    MODEL_CLOSING,
};

struct hosted_model {
    struct hosted_model_spec spec;
    struct hosted_model_options options;
    const struct hosted_model_events *events;
    const struct engine_events *engine_events; /* provider/model_words.h */
    void *context;
    enum model_state state;
    enum link_model_state told; /* what the gateway knows */
    struct engine_facts facts;
    uint64_t bytes_done, bytes_total;
    char path[FILE_PATH_MAX];
    struct model_added *added; /* what spec.catalog points to, for a model that a person added */
    struct model_fetch *fetch; /* while the file is looked for */
    struct engine *engine;
    int use_mark; /* of model_store_use, while an engine is open */
    /* FINDING: looks at the fetch's progress; FAILED: the next try; WARM and BROKEN: until it is unused. */
    struct loop_timer *timer;
    struct progress progress;
    uint32_t retry_ms, load_ms;
    uint64_t loading_since_ms, used_ms;
    struct pending_jobs pending;
    uint32_t jobs; /* in the engine */
    bool was_warm, load_asked, transferring;
    bool held_back;    /* the transfer was stopped since nothing may be downloaded now */
    bool looked_again; /* the file was not what was found; it was looked for anew, and no engine was opened since */
    struct err why;    /* of FAILED and BROKEN */
    struct loop_deferred deferred;
    void (*on_closed)(void *context);
    void *closed_context;
};

/* Loop timer and deferred call of the model. */
void model_life_timer(void *context);
void model_life_run(struct loop_deferred *deferred);
void model_life_run_later(struct hosted_model *model);
/* What the gateway is to know of the state. */
enum link_model_state model_life_told(const struct hosted_model *model);
/* See hosted_model.h. */
uint64_t model_life_need_bytes(const struct hosted_model *model);
bool model_life_is_idle(const struct hosted_model *model);
void model_life_unload(struct hosted_model *model);
/* A job came or went: it may be unused from now on, or used again. */
void model_life_watch_use(struct hosted_model *model);
/* Of struct engine_events; the context is the model. */
void model_life_engine_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why);
/* From any state. */
void model_life_close(struct hosted_model *model);

#endif
