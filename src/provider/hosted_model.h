/* One model on this device: its file is found or fetched, an engine opened on it, and both tried again with back-off
 * when they fail. */
#ifndef NATARIS_PROVIDER_HOSTED_MODEL_H
#define NATARIS_PROVIDER_HOSTED_MODEL_H

#include "catalog/catalog.h"
#include "engine/engine.h"
#include "link/link_codec.h"
#include "provider/progress.h"

struct hosted_model;

struct hosted_model_events {
    /* The state changed; `why` is set when it became LINK_MODEL_FAILED. */
    void (*on_state)(void *context, struct hosted_model *model, const struct err *why);
    /* The engine's, with the same meaning. */
    void (*on_accept)(void *context, uint64_t job, uint32_t prompt_tokens);
    void (*on_delta)(void *context, uint64_t job, struct str text, uint32_t tokens);
    void (*on_done)(void *context, uint64_t job, const struct gen_done *done);
    void (*on_failed)(void *context, uint64_t job, enum gen_failure failure, const char *message, const char *param);
};

struct hosted_model_options {
    const struct engine_ops *ops;
    bool needs_file;              /* false for the scripted engine */
    struct engine_options engine; /* all but model_id and model_path; its loop is the model's */
    const char *model_folder;     /* strings here and in `engine` are borrowed for the model's life */
    struct progress_line *progress;
};

/* What a model named by the device's owner is. */
struct hosted_model_spec {
    char id[LIMIT_MODEL_ID_BYTES + 1];
    const struct catalog_model *catalog; /* NULL: a file named by path, or only the scripted engine knows it */
    const char *path;                    /* NULL: comes from the catalog, or no file is needed */
};

/* `name` is a catalog id, an alias or a path. Without `needs_file` (scripted engine) any id will do. The errors are for
 * the person who typed it. spec->path borrows `name`. */
MUST_CHECK bool hosted_model_resolve(struct hosted_model_spec *spec, const char *name, bool needs_file,
                                     struct err *err);

/* Starts at once; events come later. */
struct hosted_model *hosted_model_new(const struct hosted_model_spec *spec, const struct hosted_model_options *options,
                                      const struct hosted_model_events *events, void *context);
const char *hosted_model_id(const struct hosted_model *model);
void hosted_model_describe(const struct hosted_model *model, struct link_model *out);
/* It failed and nothing says that it will ever work here: its file cannot be had, or no engine ever loaded it. (It is
 * tried again all the same, as long as the provider lives.) */
bool hosted_model_hopeless(const struct hosted_model *model);
/* False when no engine is open: the job is not taken, and no event follows. */
MUST_CHECK bool hosted_model_submit(struct hosted_model *model, uint64_t job, const struct gen_request *request);
void hosted_model_cancel(struct hosted_model *model, uint64_t job);
/* Stops everything without further events, frees the model, then on_closed, never inside this call. */
void hosted_model_close(struct hosted_model *model, void (*on_closed)(void *context), void *context);

#endif
