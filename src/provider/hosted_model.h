/* One model on this device: its file is found or fetched, an engine opened on it now or when a job asks for it, closed
 * again when it is not used, and all of it tried again with back-off when it fails. The states are in model_life.c. */
#ifndef NATARIS_PROVIDER_HOSTED_MODEL_H
#define NATARIS_PROVIDER_HOSTED_MODEL_H

#include "provider/hosted_model_options.h"
#include "provider/hosted_model_spec.h"

struct hosted_model;

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
/* The same for an answer to be scored; only a model that is warm takes it. */
MUST_CHECK bool hosted_model_score(struct hosted_model *model, uint64_t job, const struct gen_request *request,
                                   const struct gen_answer *answer);
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
