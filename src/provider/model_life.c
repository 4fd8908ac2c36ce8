/* The life of a model. It is in one state; move() is the only way to another, and the gateway is told when what it
 * knows changes. Calls and events leave notes; what follows is done in model_life_run, when the iteration ends.
 *
 * state      told as      has             what happens         then
 * ---------  -----------  --------------  -------------------  --------------------------------------------------------
 * FINDING    loading, or  a fetch         the file is here     COLD, and on to LOADING unless it is on demand
 *            downloading                  it cannot be had     FAILED
 *                                         no download allowed  FINDING; what has come is kept
 * COLD       cold                         job, load            LOADING when there is room; STARTING when there soon is;
 *                                                              else the jobs fail OVERLOADED
 *                                         the file changed     the jobs fail; FINDING, FAILED the second time
 * STARTING   loading                      wake, job            likewise, but back to COLD
 * LOADING    loading      engine          it is ready          WARM, and the jobs that waited go to it
 *                                         it failed            BROKEN
 * WARM       warm         engine          it crashed, loads    LOADING
 *                                         it failed            BROKEN
 *                                         unused, unload       UNLOADING
 * BROKEN     failed       engine, which   it is ready          WARM
 *                         tries again     unused, unload       UNLOADING
 * UNLOADING  cold         engine          it is closed         COLD
 * FAILED     failed       timer           the timer            FINDING, or on to LOADING where no file is looked for
 * any                                     close                CLOSING, and freed when nothing is left
 *
 * Jobs wait in COLD, STARTING, LOADING and UNLOADING, and in WARM for the end of the iteration. FAILED and BROKEN fail
 * them; there and in FINDING none is taken. "Unused" is a model on demand without jobs for keep_warm_ms. */
#include "provider/model_life.h"

#include "base/log.h"
#include "base/mem.h"
#include "provider/model_store_use.h"

#include <stdlib.h>

enum { POLL_MS = 200, RETRY_MAX_MS = 30 * 60 * 1000 };

static struct loop *loop_of(const struct hosted_model *model) {
    return model->options.engine.loop;
}

void model_life_run_later(struct hosted_model *model) {
    loop_defer(loop_of(model), &model->deferred);
}

static bool has_open_engine(const struct hosted_model *model) {
    return model->state == MODEL_WARM || model->state == MODEL_BROKEN;
}

uint64_t model_life_need_bytes(const struct hosted_model *model) {
    struct stat file;
    if (model->facts.memory_bytes > 0) {
        return model->facts.memory_bytes;
    }
    if (model->spec.catalog != NULL && model->spec.catalog->ram_bytes > 0) {
        return model->spec.catalog->ram_bytes;
    }
    /* The file is mapped whole; a quarter more is a usual context. */
    return model->path[0] != '\0' && stat(model->path, &file) == 0 ? (uint64_t)file.st_size * 5 / 4 : 0;
}

bool model_life_is_idle(const struct hosted_model *model) {
    return model->options.on_demand && has_open_engine(model) && model->jobs == 0 && model->pending.count == 0;
}

/* After everything that changes whether the model is in use. */
void model_life_watch_use(struct hosted_model *model) {
    if (model_life_is_idle(model) && model->options.keep_warm_ms > 0) {
        loop_timer_start(model->timer, model->options.keep_warm_ms, 0);
    } else if (has_open_engine(model)) {
        loop_timer_stop(model->timer);
    }
}

/* --- States --- */

enum link_model_state model_life_told(const struct hosted_model *model) {
    switch (model->state) {
    case MODEL_FINDING:
        /* One that is not loaded once its file is here must not look as if it soon were. */
        if (model->told == LINK_MODEL_FAILED && !model->transferring) {
            return LINK_MODEL_FAILED; /* a further try is no news until bytes come */
        }
        return model->transferring || model->options.on_demand ? LINK_MODEL_DOWNLOADING : LINK_MODEL_LOADING;
    case MODEL_COLD:
    case MODEL_UNLOADING:
        return LINK_MODEL_COLD;
    case MODEL_STARTING:
    case MODEL_LOADING:
        return LINK_MODEL_LOADING;
    case MODEL_WARM:
        return LINK_MODEL_WARM;
    case MODEL_BROKEN:
    case MODEL_FAILED:
    case MODEL_CLOSING:
        break;
    }
    return LINK_MODEL_FAILED;
}

static void tell_state(struct hosted_model *model) {
    enum link_model_state next = model_life_told(model);
    if (next == model->told) {
        return;
    }
    LOG_DEBUG_EVENT("model.state", LOG_TEXT("model", model->spec.id),
                    LOG_TEXT("from", link_model_state_name(model->told)), LOG_TEXT("to", link_model_state_name(next)));
    model->told = next;
    if (next == LINK_MODEL_WARM) {
        LOG_INFO_EVENT("model.ready", LOG_TEXT("model", model->spec.id), LOG_INT("slots", model->facts.slots),
                       LOG_INT("context", model->facts.context_length), LOG_INT("load_ms", model->load_ms));
    } else if (next == LINK_MODEL_COLD && model->state == MODEL_UNLOADING) {
        LOG_INFO_EVENT("model.unloaded", LOG_TEXT("model", model->spec.id));
    } else if (next == LINK_MODEL_FAILED) {
        LOG_WARN_EVENT("model.failed", LOG_TEXT("model", model->spec.id), LOG_TEXT("reason", model->why.message));
    }
    model->events->on_state(model->context, model, next == LINK_MODEL_FAILED ? &model->why : NULL);
}

static void move(struct hosted_model *model, enum model_state next) {
    uint64_t now = loop_now_ms(loop_of(model));
    enum model_state before = model->state;
    model->state = next;
    loop_timer_stop(model->timer);
    switch (next) {
    case MODEL_FINDING:
        loop_timer_start(model->timer, POLL_MS, POLL_MS);
        break;
    case MODEL_LOADING:
        model->loading_since_ms = now;
        break;
    case MODEL_WARM:
        if (before == MODEL_LOADING) {
            model->load_ms = (uint32_t)(now - model->loading_since_ms) + 1; /* 0 means that it is not known */
        }
        model->was_warm = true;
        model->retry_ms = MODEL_RETRY_MIN_MS;
        model->used_ms = now;
        break;
    case MODEL_FAILED:
        loop_timer_start(model->timer, model->retry_ms, 0);
        model->retry_ms = model->retry_ms >= RETRY_MAX_MS / 2 ? RETRY_MAX_MS : model->retry_ms * 2;
        break;
    case MODEL_COLD:
    case MODEL_STARTING:
    case MODEL_BROKEN:
    case MODEL_UNLOADING:
        break;
    case MODEL_CLOSING:
        model_life_run_later(model);
        return;
    }
    model_life_watch_use(model);
    model_life_run_later(model);
    tell_state(model);
}

static void fail(struct hosted_model *model, enum model_state next, const struct err *why) {
    model->why = *why;
    model->load_asked = false;
    move(model, next);
}

/* --- The engine --- */

void model_life_engine_state(void *context, enum engine_state state, const struct engine_facts *facts,
                             const char *why) {
    struct hosted_model *model = context;
    struct err err = {0};
    if (model->state == MODEL_CLOSING || model->state == MODEL_UNLOADING) {
        return;
    }
    switch (state) {
    case ENGINE_LOADING:
        if (model->state != MODEL_LOADING) {
            move(model, MODEL_LOADING);
        }
        return;
    case ENGINE_READY:
        model->facts = *facts;
        move(model, MODEL_WARM);
        return;
    case ENGINE_FAILED:
        err_set(&err, ERR_UNAVAILABLE, "model %s cannot be loaded: %s", model->spec.id,
                why != NULL ? why : "no reason given");
        fail(model, MODEL_BROKEN, &err);
        return;
    }
}

static void release_file(struct hosted_model *model) {
    if (model->options.needs_file) {
        model_store_unuse(model->options.model_folder, model->spec.id, &model->use_mark);
    }
}

static bool use_file(struct hosted_model *model, struct err *err) {
    const char *sha256 = model->spec.catalog != NULL ? model->spec.catalog->sha256 : NULL;
    return !model->options.needs_file ||
           model_store_use(model->options.model_folder, model->spec.id, model->path, sha256, &model->use_mark, err);
}

static void begin(struct hosted_model *model);
static void fail_pending(struct hosted_model *model, enum gen_failure failure, const char *message);

/* The file is gone, or not what was checked. It is looked at, and fetched anew if need be, before the gateway hears of
 * a failure; the jobs do not wait for that. */
static void look_again(struct hosted_model *model, const struct err *why) {
    if (model->spec.path != NULL || model->looked_again) {
        fail(model, MODEL_FAILED, why);
        return;
    }
    LOG_WARN_EVENT("model.look_again", LOG_TEXT("model", model->spec.id), LOG_TEXT("reason", why->message));
    model->looked_again = true;
    fail_pending(model, GEN_FAILURE_MODEL_MISSING, why->message);
    begin(model);
    model->load_asked = model->state == MODEL_FINDING; /* somebody wanted it loaded, and still does */
}

static void open_engine(struct hosted_model *model, uint64_t memory_limit) {
    struct err err = {0};
    struct engine_options options = model->options.engine;
    options.model_id = model->spec.id;
    options.model_path = model->path[0] != '\0' ? model->path : NULL;
    options.memory_limit = memory_limit;
    options.upstream_model = model->spec.upstream[0] != '\0' ? model->spec.upstream : NULL;
    if (!use_file(model, &err)) {
        look_again(model, &err);
        return;
    }
    model->looked_again = false;
    move(model, MODEL_LOADING);
    if (!model->options.ops->open(&model->engine, &options, model->engine_events, model, &err)) {
        model->engine = NULL;
        release_file(model);
        fail(model, MODEL_FAILED, &err);
    }
}

static void on_engine_closed(void *context) {
    struct hosted_model *model = context;
    model->engine = NULL;
    release_file(model);
    if (model->state == MODEL_CLOSING) {
        model_life_run_later(model);
        return;
    }
    move(model, MODEL_COLD);
    if (model->events->on_unloaded != NULL) {
        model->events->on_unloaded(model->context, model);
    }
}

void model_life_unload(struct hosted_model *model) {
    move(model, MODEL_UNLOADING);
    model->engine->ops->close(model->engine, on_engine_closed, model);
}

/* --- The jobs that wait --- */

static void end_cancelled(struct hosted_model *model) {
    const struct gen_done done = {.finish = GEN_FINISH_CANCELLED};
    struct pending_job *job = NULL;
    while ((job = pending_jobs_take_cancelled(&model->pending)) != NULL) {
        uint64_t id = job->id;
        pending_job_free(job);
        model->events->on_done(model->context, id, &done);
    }
}

static void fail_pending(struct hosted_model *model, enum gen_failure failure, const char *message) {
    struct pending_job *job = NULL;
    while ((job = pending_jobs_take(&model->pending)) != NULL) {
        uint64_t id = job->id;
        pending_job_free(job);
        model->events->on_failed(model->context, id, failure, message, NULL);
    }
}

static void submit_pending(struct hosted_model *model) {
    struct pending_job *job = NULL;
    while ((job = pending_jobs_take(&model->pending)) != NULL) {
        model->jobs++;
        model->engine->ops->submit(model->engine, job->id, &job->request);
        pending_job_free(job);
    }
}

/* --- Loading --- */

static void try_load(struct hosted_model *model) {
    uint64_t memory_limit = model->options.engine.memory_limit;
    enum model_room room = model->events->find_room != NULL
                               ? model->events->find_room(model->context, model, &memory_limit)
                               : MODEL_ROOM_NOW;
    model->load_asked = false;
    switch (room) {
    case MODEL_ROOM_NOW:
        open_engine(model, memory_limit);
        return;
    case MODEL_ROOM_SOON:
        if (model->state != MODEL_STARTING) {
            move(model, MODEL_STARTING);
        }
        return;
    case MODEL_ROOM_NONE:
        LOG_WARN_EVENT("model.no_memory", LOG_TEXT("model", model->spec.id),
                       LOG_INT("needs_bytes", model_life_need_bytes(model)));
        fail_pending(model, GEN_FAILURE_OVERLOADED, "the device has no memory for the model now");
        if (model->state == MODEL_STARTING) {
            move(model, MODEL_COLD);
        }
        return;
    }
}

static void free_model(struct hosted_model *model) {
    void (*on_closed)(void *context) = model->on_closed;
    void *context = model->closed_context;
    pending_jobs_clear(&model->pending);
    loop_timer_free(model->timer);
    free(model->added);
    free(model);
    on_closed(context);
}

void model_life_run(struct loop_deferred *deferred) {
    struct hosted_model *model = (struct hosted_model *)((char *)deferred - offsetof(struct hosted_model, deferred));
    if (model->state != MODEL_CLOSING) {
        end_cancelled(model);
    }
    switch (model->state) {
    case MODEL_COLD:
        if (model->pending.count > 0 || model->load_asked) {
            try_load(model);
        }
        break;
    case MODEL_STARTING:
        try_load(model);
        break;
    case MODEL_WARM:
        submit_pending(model);
        break;
    case MODEL_BROKEN:
        fail_pending(model, GEN_FAILURE_ENGINE, model->why.message);
        break;
    case MODEL_FAILED:
        fail_pending(model, GEN_FAILURE_MODEL_MISSING, model->why.message);
        break;
    case MODEL_FINDING:
    case MODEL_LOADING:
    case MODEL_UNLOADING:
        break;
    case MODEL_CLOSING:
        if (model->fetch == NULL && model->engine == NULL) {
            free_model(model);
        }
        return;
    }
    model_life_watch_use(model);
}

/* --- The file --- */

static void on_fetched(void *context, const char *path, const struct err *err) {
    struct hosted_model *model = context;
    model->fetch = NULL;
    progress_end(&model->progress);
    model->bytes_done = model->bytes_total = 0;
    model->transferring = false;
    if (model->state == MODEL_CLOSING) {
        model_life_run_later(model);
    } else if (path == NULL && model->held_back) {
        begin(model);
    } else if (path == NULL) {
        fail(model, MODEL_FAILED, err);
    } else {
        str_copy(model->path, sizeof(model->path), str_from(path));
        move(model, model->options.on_demand ? MODEL_COLD : MODEL_STARTING);
    }
}

static bool may_download(const struct hosted_model *model) {
    return model->events->may_download == NULL || model->events->may_download(model->context);
}

static void look_at_fetch(struct hosted_model *model) {
    const bool may = may_download(model);
    model_fetch_hold(model->fetch, !may);
    if (!model_fetch_progress(model->fetch, &model->bytes_done, &model->bytes_total)) {
        return;
    }
    if (!may) {
        model->held_back = true;
        model_fetch_cancel(model->fetch); /* what has come is kept; the next try waits until it may */
    }
    model->transferring = true;
    progress_show(&model->progress, loop_now_ms(loop_of(model)), model->bytes_done, model->bytes_total);
    tell_state(model);
    if (model->events->on_progress != NULL) {
        model->events->on_progress(model->context, model);
    }
}

/* What a person added may have been changed since. */
static bool read_added(struct hosted_model *model, struct err *err) {
    if (!model->spec.added) {
        return true;
    }
    if (model->added == NULL) {
        model->added = MEM_NEW(struct model_added);
    }
    model->spec.catalog = &model->added->model;
    return model_added_read(model->added, model->options.model_folder, model->spec.id, err);
}

static void begin(struct hosted_model *model) {
    struct err err = {0};
    model->held_back = false;
    if (!model->options.needs_file || model->spec.path != NULL) {
        move(model, model->options.on_demand ? MODEL_COLD : MODEL_STARTING);
        return;
    }
    if (!read_added(model, &err) ||
        !model_fetch_start(&model->fetch, loop_of(model), model->spec.catalog, model->options.model_folder,
                           &model->options.room, !may_download(model), on_fetched, model, &err)) {
        fail(model, MODEL_FAILED, &err);
        return;
    }
    move(model, MODEL_FINDING);
}

void model_life_timer(void *context) {
    struct hosted_model *model = context;
    if (model->fetch != NULL) {
        look_at_fetch(model);
    } else if (model_life_is_idle(model)) {
        model_life_unload(model);
    } else if (model->state == MODEL_FINDING || model->state == MODEL_FAILED) {
        begin(model);
    }
}

void model_life_close(struct hosted_model *model) {
    bool closes_already = model->state == MODEL_UNLOADING;
    move(model, MODEL_CLOSING);
    if (model->fetch != NULL) {
        progress_end(&model->progress);
        model_fetch_cancel(model->fetch);
    } else if (model->engine != NULL && !closes_already) {
        model->engine->ops->close(model->engine, on_engine_closed, model);
    }
}
