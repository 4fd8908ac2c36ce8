#include "provider/hosted_model.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "provider/model_fetch.h"
#include "provider/model_store.h"

#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 200, RETRY_MIN_MS = 60 * 1000, RETRY_MAX_MS = 30 * 60 * 1000 };

struct hosted_model {
    struct hosted_model_spec spec;
    struct hosted_model_options options;
    const struct hosted_model_events *events;
    void *context;
    enum link_model_state state;
    struct engine_facts facts;
    uint64_t bytes_done, bytes_total;
    char path[FILE_PATH_MAX];
    struct model_fetch *fetch; /* while the file is looked for */
    struct engine *engine;     /* once it is there */
    /* Looks at the fetch's progress while there is one; else waits for the next try. */
    struct loop_timer *timer;
    struct progress progress;
    uint32_t retry_ms;
    bool was_warm, closing;
    struct loop_deferred finish;
    void (*on_closed)(void *context);
    void *closed_context;
};

static bool is_path(const char *name) {
    struct str text = str_from(name);
    const struct str suffix = STR(".gguf");
    return strchr(name, '/') != NULL ||
           (text.len > suffix.len && str_equal_nocase((struct str){name + text.len - suffix.len, suffix.len}, suffix));
}

static bool refuse_unknown(const char *name, struct err *err) {
    char known[ERR_MESSAGE_MAX] = "";
    struct buf list;
    buf_init(&list, sizeof known);
    for (size_t i = 0; i < catalog_count(); i++) {
        buf_append_format(&list, "%s%s", i > 0 ? ", " : "", catalog_at(i)->id);
    }
    str_copy(known, sizeof known, buf_str(&list));
    buf_clear(&list);
    return err_set(err, ERR_NOT_FOUND, "model '%.64s' is unknown; known: %s, or the path of a GGUF file", name, known);
}

bool hosted_model_resolve(struct hosted_model_spec *spec, const char *name, bool needs_file, struct err *err) {
    *spec = (struct hosted_model_spec){.catalog = catalog_find(str_from(name))};
    const char *id = spec->catalog != NULL ? spec->catalog->id : name;
    if (spec->catalog == NULL && is_path(name)) {
        spec->path = needs_file ? name : NULL;
        return model_store_id_of_path(spec->id, sizeof spec->id, name, err) &&
               (!needs_file || model_store_check_gguf(name, err));
    }
    if (!str_copy(spec->id, sizeof spec->id, str_from(id)) || !catalog_id_is_valid(str_from(id))) {
        return err_set(err, ERR_INVALID, "a model's id has 1 to %d letters, digits and . _ - / : @ +",
                       LIMIT_MODEL_ID_BYTES);
    }
    if (spec->catalog == NULL && needs_file) {
        return refuse_unknown(name, err);
    }
    if (needs_file && spec->catalog->sha256 == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "model %s has no known file yet; give the path of one", spec->id);
    }
    return true;
}

static void set_state(struct hosted_model *model, enum link_model_state next, const struct err *why) {
    if (model->state == next) {
        return;
    }
    LOG_DEBUG_EVENT("model.state", LOG_TEXT("model", model->spec.id),
                    LOG_TEXT("from", link_model_state_name(model->state)), LOG_TEXT("to", link_model_state_name(next)));
    model->state = next;
    if (next == LINK_MODEL_WARM) {
        model->was_warm = true;
        model->retry_ms = RETRY_MIN_MS;
        LOG_INFO_EVENT("model.ready", LOG_TEXT("model", model->spec.id), LOG_INT("slots", model->facts.slots),
                       LOG_INT("context", model->facts.context_length));
    } else if (next == LINK_MODEL_FAILED) {
        LOG_WARN_EVENT("model.failed", LOG_TEXT("model", model->spec.id), LOG_TEXT("reason", why->message));
    }
    model->events->on_state(model->context, model, why);
}

static void finish_later(struct hosted_model *model) {
    loop_defer(model->options.engine.loop, &model->finish);
}

static void fail_and_retry(struct hosted_model *model, const struct err *why) {
    loop_timer_start(model->timer, model->retry_ms, 0);
    model->retry_ms = model->retry_ms >= RETRY_MAX_MS / 2 ? RETRY_MAX_MS : model->retry_ms * 2;
    set_state(model, LINK_MODEL_FAILED, why);
}

/* --- The engine --- */

static void on_engine_state(void *context, enum engine_state state, const struct engine_facts *facts, const char *why) {
    struct hosted_model *model = context;
    struct err err = {0};
    if (model->closing) {
        return;
    }
    switch (state) {
    case ENGINE_LOADING:
        set_state(model, LINK_MODEL_LOADING, NULL);
        return;
    case ENGINE_READY:
        model->facts = *facts;
        set_state(model, LINK_MODEL_WARM, NULL);
        return;
    case ENGINE_FAILED:
        err_set(&err, ERR_UNAVAILABLE, "model %s cannot be loaded: %s", model->spec.id,
                why != NULL ? why : "no reason given");
        set_state(model, LINK_MODEL_FAILED, &err); /* the engine itself tries again */
        return;
    }
}

static void on_engine_accept(void *context, uint64_t job, uint32_t prompt_tokens) {
    const struct hosted_model *model = context;
    if (!model->closing) {
        model->events->on_accept(model->context, job, prompt_tokens);
    }
}

static void on_engine_delta(void *context, uint64_t job, struct str text, uint32_t tokens) {
    const struct hosted_model *model = context;
    if (!model->closing) {
        model->events->on_delta(model->context, job, text, tokens);
    }
}

static void on_engine_done(void *context, uint64_t job, const struct gen_done *done) {
    const struct hosted_model *model = context;
    if (!model->closing) {
        model->events->on_done(model->context, job, done);
    }
}

static void on_engine_failed(void *context, uint64_t job, enum gen_failure failure, const char *message,
                             const char *param) {
    const struct hosted_model *model = context;
    if (!model->closing) {
        model->events->on_failed(model->context, job, failure, message, param);
    }
}

static const struct engine_events ENGINE_EVENTS = {.on_state = on_engine_state,
                                                   .on_accept = on_engine_accept,
                                                   .on_delta = on_engine_delta,
                                                   .on_done = on_engine_done,
                                                   .on_failed = on_engine_failed};

static void open_engine(struct hosted_model *model) {
    struct err err = {0};
    struct engine_options options = model->options.engine;
    options.model_id = model->spec.id;
    options.model_path = model->path[0] != '\0' ? model->path : NULL;
    set_state(model, LINK_MODEL_LOADING, NULL);
    if (!model->options.ops->open(&model->engine, &options, &ENGINE_EVENTS, model, &err)) {
        model->engine = NULL;
        fail_and_retry(model, &err);
    }
}

/* --- The file --- */

static void on_fetched(void *context, const char *path, const struct err *err) {
    struct hosted_model *model = context;
    model->fetch = NULL;
    loop_timer_stop(model->timer);
    progress_end(&model->progress);
    model->bytes_done = model->bytes_total = 0;
    if (model->closing) {
        finish_later(model);
    } else if (path == NULL) {
        fail_and_retry(model, err);
    } else {
        str_copy(model->path, sizeof model->path, str_from(path));
        open_engine(model);
    }
}

static void look_at_fetch(struct hosted_model *model) {
    if (model_fetch_progress(model->fetch, &model->bytes_done, &model->bytes_total)) {
        progress_show(&model->progress, loop_now_ms(model->options.engine.loop), model->bytes_done, model->bytes_total);
        set_state(model, LINK_MODEL_DOWNLOADING, NULL);
    }
}

static void begin(struct hosted_model *model) {
    struct err err = {0};
    if (!model->options.needs_file || model->spec.path != NULL) {
        open_engine(model);
        return;
    }
    if (!model_fetch_start(&model->fetch, model->options.engine.loop, model->spec.catalog, model->options.model_folder,
                           on_fetched, model, &err)) {
        fail_and_retry(model, &err);
        return;
    }
    loop_timer_start(model->timer, POLL_MS, POLL_MS);
}

static void on_timer(void *context) {
    struct hosted_model *model = context;
    if (model->fetch != NULL) {
        look_at_fetch(model);
    } else {
        begin(model); /* the first try, or the next after a failure; the state says so when there is news */
    }
}

/* --- Life --- */

static void finish(struct loop_deferred *deferred) {
    struct hosted_model *model = (struct hosted_model *)((char *)deferred - offsetof(struct hosted_model, finish));
    void (*on_closed)(void *context) = model->on_closed;
    void *context = model->closed_context;
    loop_timer_free(model->timer);
    free(model);
    on_closed(context);
}

struct hosted_model *hosted_model_new(const struct hosted_model_spec *spec, const struct hosted_model_options *options,
                                      const struct hosted_model_events *events, void *context) {
    struct hosted_model *model = MEM_NEW(struct hosted_model);
    model->spec = *spec;
    model->options = *options;
    model->events = events;
    model->context = context;
    model->state = LINK_MODEL_LOADING;
    model->retry_ms = RETRY_MIN_MS;
    model->finish.run = finish;
    model->timer = loop_timer_new(options->engine.loop, on_timer, model);
    if (spec->path != NULL) {
        str_copy(model->path, sizeof model->path, str_from(spec->path));
    }
    progress_init(&model->progress, options->progress, model->spec.id);
    loop_timer_start(model->timer, 0, 0);
    return model;
}

const char *hosted_model_id(const struct hosted_model *model) {
    return model->spec.id;
}

void hosted_model_describe(const struct hosted_model *model, struct link_model *out) {
    *out = (struct link_model){.id = str_from(model->spec.id),
                               .state = model->state,
                               .slots = model->facts.slots,
                               .context_length = model->facts.context_length,
                               .bytes_done = model->bytes_done,
                               .bytes_total = model->bytes_total};
}

bool hosted_model_hopeless(const struct hosted_model *model) {
    return model->state == LINK_MODEL_FAILED && !model->was_warm;
}

bool hosted_model_submit(struct hosted_model *model, uint64_t job, const struct gen_request *request) {
    if (model->engine == NULL) {
        return false;
    }
    model->engine->ops->submit(model->engine, job, request);
    return true;
}

void hosted_model_cancel(struct hosted_model *model, uint64_t job) {
    if (model->engine != NULL) {
        model->engine->ops->cancel(model->engine, job);
    }
}

static void on_engine_closed(void *context) {
    struct hosted_model *model = context;
    model->engine = NULL;
    finish_later(model);
}

void hosted_model_close(struct hosted_model *model, void (*on_closed)(void *context), void *context) {
    model->closing = true;
    model->on_closed = on_closed;
    model->closed_context = context;
    loop_timer_stop(model->timer);
    if (model->fetch != NULL) {
        progress_end(&model->progress);
        model_fetch_cancel(model->fetch);
    } else if (model->engine != NULL) {
        model->engine->ops->close(model->engine, on_engine_closed, model);
    } else {
        finish_later(model);
    }
}
