#include "provider/hosted_model.h"

#include "base/mem.h"
#include "provider/model_life.h"
#include "provider/model_words.h"

enum { SLOTS_GUESSED = 4 }; /* of a model that was never loaded, for the bound of the jobs that wait */

/* --- Life --- */

struct hosted_model *hosted_model_new(const struct hosted_model_spec *spec, const struct hosted_model_options *options,
                                      const struct hosted_model_events *events, void *context) {
    struct hosted_model *model = MEM_NEW(struct hosted_model);
    model->spec = *spec;
    model->options = *options;
    model->events = events;
    model->engine_events = &MODEL_WORDS;
    model->context = context;
    model->state = MODEL_FINDING;
    model->told = model_life_told(model);
    model->retry_ms = MODEL_RETRY_MIN_MS;
    model->use_mark = -1;
    model->deferred.run = model_life_run;
    model->timer = loop_timer_new(model->options.engine.loop, model_life_timer, model);
    if (spec->path != NULL) {
        str_copy(model->path, sizeof(model->path), str_from(spec->path));
    }
    progress_init(&model->progress, options->progress, model->spec.id);
    loop_timer_start(model->timer, 0, 0);
    return model;
}

void hosted_model_close(struct hosted_model *model, void (*on_closed)(void *context), void *context) {
    model->on_closed = on_closed;
    model->closed_context = context;
    model_life_close(model);
}

/* --- Jobs --- */

static size_t pending_max(const struct hosted_model *model) {
    uint32_t asked = model->options.engine.slots > 0 ? model->options.engine.slots : SLOTS_GUESSED;
    return 2 * (size_t)(model->facts.slots > 0 ? model->facts.slots : asked);
}

bool hosted_model_submit(struct hosted_model *model, uint64_t job, const struct gen_request *request,
                         enum gen_failure *refusal, const char **reason) {
    switch (model->state) {
    case MODEL_FINDING:
    case MODEL_BROKEN:
    case MODEL_FAILED:
    case MODEL_CLOSING:
        *refusal = GEN_FAILURE_MODEL_MISSING;
        *reason = "the model is not on this device yet";
        return false;
    case MODEL_WARM:
        if (model->pending.count == 0) {
            model->jobs++;
            model_life_watch_use(model);
            model->engine->ops->submit(model->engine, job, request);
            return true;
        }
        break;
    case MODEL_COLD:
    case MODEL_STARTING:
    case MODEL_LOADING:
    case MODEL_UNLOADING:
        break;
    }
    if (model->pending.count >= pending_max(model) || !pending_jobs_add(&model->pending, job, request)) {
        *refusal = GEN_FAILURE_OVERLOADED;
        *reason = "too many jobs wait for the model to be loaded";
        return false;
    }
    model_life_run_later(model);
    return true;
}

bool hosted_model_score(struct hosted_model *model, uint64_t job, const struct gen_request *request,
                        const struct gen_answer *answer) {
    if (model->state != MODEL_WARM || model->pending.count > 0) {
        return false;
    }
    model->jobs++;
    model_life_watch_use(model);
    model->engine->ops->score(model->engine, job, request, answer);
    return true;
}

void hosted_model_cancel(struct hosted_model *model, uint64_t job) {
    if (pending_jobs_cancel(&model->pending, job)) {
        model_life_run_later(model);
    } else if (model->engine != NULL && model->state != MODEL_UNLOADING) {
        model->engine->ops->cancel(model->engine, job);
    }
}

void hosted_model_load(struct hosted_model *model) {
    if (model->state == MODEL_COLD || model->state == MODEL_UNLOADING) {
        model->load_asked = true;
        model_life_run_later(model);
    }
}

void hosted_model_wake(struct hosted_model *model) {
    model_life_run_later(model);
}

/* --- What it is --- */

const char *hosted_model_id(const struct hosted_model *model) {
    return model->spec.id;
}

void hosted_model_describe(const struct hosted_model *model, struct link_model *out) {
    const struct engine_ops *ops = model->options.ops;
    const bool file_known = model->spec.catalog != NULL && model->spec.upstream[0] == '\0';
    const bool grammars = ops->grammars || model->facts.grammars;
    const char *sha256 = file_known ? model->spec.catalog->sha256 : NULL;
    *out = (struct link_model){.id = str_from(model->spec.id),
                               .state = model->told,
                               .kinds = LINK_JOB_KIND_BIT(LINK_JOB_KIND_GENERATE) |
                                        (ops->scores ? LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE) : 0) |
                                        (grammars ? LINK_JOB_KIND_BIT(LINK_JOB_KIND_GRAMMAR) : 0) |
                                        (ops->samples ? LINK_JOB_KIND_BIT(LINK_JOB_KIND_SAMPLE) : 0),
                               .sha256 = str_from(sha256),
                               .slots = model->facts.slots,
                               .context_length = model->facts.context_length,
                               .bytes_done = model->bytes_done,
                               .bytes_total = model->bytes_total,
                               .bytes_per_s = model->transferring ? (uint64_t)model->progress.speed : 0,
                               .load_ms = model->load_ms};
}

bool hosted_model_hopeless(const struct hosted_model *model) {
    return model->told == LINK_MODEL_FAILED && !model->was_warm;
}

bool hosted_model_holds_memory(const struct hosted_model *model) {
    return model->engine != NULL || model->state == MODEL_STARTING;
}

bool hosted_model_unloading(const struct hosted_model *model) {
    return model->state == MODEL_UNLOADING;
}

bool hosted_model_on_demand(const struct hosted_model *model) {
    return model->options.on_demand;
}

bool hosted_model_has_file(const struct hosted_model *model) {
    return model->options.needs_file;
}

bool hosted_model_fetching(const struct hosted_model *model) {
    return model->state == MODEL_FINDING;
}

uint64_t hosted_model_used_ms(const struct hosted_model *model) {
    return model->used_ms;
}

bool hosted_model_file_gone(const struct hosted_model *model) {
    return model->state == MODEL_COLD && model->pending.count == 0 && model->path[0] != '\0' &&
           !file_exists(model->path);
}

bool hosted_model_idle(const struct hosted_model *model) {
    return model_life_is_idle(model);
}

void hosted_model_unload(struct hosted_model *model) {
    model_life_unload(model);
}

uint64_t hosted_model_need_bytes(const struct hosted_model *model) {
    return model_life_need_bytes(model);
}
