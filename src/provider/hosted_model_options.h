/* How a model is hosted on a device, and what is told about it (provider/hosted_model.h). */
#ifndef NATARIS_PROVIDER_HOSTED_MODEL_OPTIONS_H
#define NATARIS_PROVIDER_HOSTED_MODEL_OPTIONS_H

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "link/status.h"
#include "provider/model_store_room.h"
#include "provider/progress.h"

struct hosted_model;

enum model_room {
    MODEL_ROOM_NOW,
    MODEL_ROOM_SOON, /* another model is being unloaded: hosted_model_wake is called when it is */
    MODEL_ROOM_NONE,
};

struct hosted_model_events {
    /* The state that the gateway knows changed; `why` is set when it became LINK_MODEL_FAILED. */
    void (*on_state)(void *context, struct hosted_model *model, const struct err *why);
    /* A download goes on: hosted_model_describe has new numbers. NULL: nobody asks. */
    void (*on_progress)(void *context, struct hosted_model *model);
    /* May an engine be opened? On MODEL_ROOM_NOW *memory_limit is what it may plan with (as in struct engine_options).
     * NULL: always. */
    enum model_room (*find_room)(void *context, struct hosted_model *model, uint64_t *memory_limit);
    /* May a download begin or go on? NULL: always. */
    bool (*may_download)(void *context);
    /* Its engine is closed and the memory free. NULL: nobody asks. */
    void (*on_unloaded)(void *context, struct hosted_model *model);
    /* The engine's, with the same meaning. */
    void (*on_accept)(void *context, uint64_t job, uint32_t prompt_tokens);
    void (*on_read)(void *context, uint64_t job, uint32_t done_tokens);    /* may be NULL */
    void (*on_logprobs)(void *context, uint64_t job, struct str logprobs); /* may be NULL */
    void (*on_delta)(void *context, uint64_t job, struct str text, const uint32_t *ids, uint32_t tokens);
    void (*on_scored)(void *context, uint64_t job, const struct gen_score *score); /* may be NULL */
    void (*on_done)(void *context, uint64_t job, const struct gen_done *done);
    void (*on_failed)(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param);
};

struct hosted_model_options {
    const struct engine_ops *ops;
    bool needs_file;              /* false for the scripted engine */
    bool on_demand;               /* cold until a job comes, and again when unused; false: loaded at once, and kept */
    uint32_t keep_warm_ms;        /* on demand: how long after the last job it is closed; 0: never */
    struct engine_options engine; /* all but model_id and model_path; its loop is the model's */
    const char *model_folder;     /* strings here and in `engine` are borrowed for the model's life */
    struct model_store_room room; /* what a download may take of the folder, and what may go for it */
    struct progress_line *progress;
};

#endif
