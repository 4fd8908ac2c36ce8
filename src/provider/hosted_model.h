/* One model on this device: its file is found or fetched, an engine opened on it now or when a job asks for it, closed
 * again when it is not used, and all of it tried again with back-off when it fails. The states are in model_life.c. */
#ifndef NATARIS_PROVIDER_HOSTED_MODEL_H
#define NATARIS_PROVIDER_HOSTED_MODEL_H

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "link/status.h"
#include "provider/hosted_model_spec.h"
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
    void (*on_delta)(void *context, uint64_t job, struct str text, uint32_t tokens);
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

/* Starts at once; events come later, never inside a call. */
struct hosted_model *hosted_model_new(const struct hosted_model_spec *spec, const struct hosted_model_options *options,
                                      const struct hosted_model_events *events, void *context);
const char *hosted_model_id(const struct hosted_model *model);
/* All but too_large, which depends on the other models. */
void hosted_model_describe(const struct hosted_model *model, struct link_model *out);
/* It failed and nothing says that it will ever work here: its file cannot be had, or no engine ever loaded it. (It is
 * tried again all the same, as long as the provider lives.) */
bool hosted_model_hopeless(const struct hosted_model *model);

/* Bytes that its engine takes, or took last, or will take as far as the catalog or the file's size tell. */
uint64_t hosted_model_need_bytes(const struct hosted_model *model);
/* It holds memory or is about to; hosted_model_unloading: and gives it back just now. */
bool hosted_model_holds_memory(const struct hosted_model *model);
bool hosted_model_unloading(const struct hosted_model *model);
bool hosted_model_on_demand(const struct hosted_model *model);
bool hosted_model_has_file(const struct hosted_model *model); /* false for an engine that needs none */
/* It looks for its file, or fetches it. */
bool hosted_model_fetching(const struct hosted_model *model);
/* It may be unloaded: on demand, an engine is open, and no job runs or waits. */
bool hosted_model_idle(const struct hosted_model *model);
/* When its last job ended or it was loaded; on the loop's clock. */
uint64_t hosted_model_used_ms(const struct hosted_model *model);
/* It is cold without a job that waits, and its file was taken away. */
bool hosted_model_file_gone(const struct hosted_model *model);

/* False when the job is not taken, and no event follows: *refusal and *reason (static) say why. The job of a model that
 * is cold or loading waits until that is over, up to twice as many as it has slots. */
MUST_CHECK bool hosted_model_submit(struct hosted_model *model, uint64_t job, const struct gen_request *request,
                                    enum gen_failure *refusal, const char **reason);
void hosted_model_cancel(struct hosted_model *model, uint64_t job);
/* Loads a cold model although no job asks; nothing happens in another state. */
void hosted_model_load(struct hosted_model *model);
/* Only while hosted_model_idle. */
void hosted_model_unload(struct hosted_model *model);
/* Memory was freed: a model that waits for it asks again. */
void hosted_model_wake(struct hosted_model *model);
/* Stops everything without further events, frees the model, then on_closed, never inside this call. Not to be
 * called in an event of a model that holds memory. */
void hosted_model_close(struct hosted_model *model, void (*on_closed)(void *context), void *context);

#endif
