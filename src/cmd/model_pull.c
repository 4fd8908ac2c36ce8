#include "cmd/model_pull.h"

#include "cmd/model_text.h"
#include "cmd/signals.h"
#include "provider/model_added.h"
#include "provider/model_fetch.h"
#include "provider/progress.h"

#include <stdio.h>
#include <string.h>

enum { POLL_MS = 200 };

struct pull_config {
    const char *config, *models, *sha256, *log_level;
    struct option_list names, from;
    uint64_t model_quota;
    bool quiet;
};

struct pull {
    const struct pull_config *config;
    char folder[FILE_PATH_MAX];
    const char *ids[OPTION_LIST_MAX]; /* of all that are asked for: none goes to make room for another */
    struct model_store_room room;
    struct loop *loop;
    struct signals signals;
    struct loop_timer *timer;
    struct progress_line line;
    struct progress progress;
    struct model_fetch *fetch; /* of the model on the way */
    struct model_added added;
    struct catalog_model mirrored; /* a catalog model, to be had from the addresses given */
    bool worked, stopped;
};

static void on_stop_asked(void *context) {
    struct pull *pull = context;
    pull->stopped = true;
    if (pull->fetch != NULL) {
        model_fetch_cancel(pull->fetch);
    }
}

static void on_timer(void *context) {
    struct pull *pull = context;
    uint64_t done;
    uint64_t total;
    if (pull->fetch != NULL && model_fetch_progress(pull->fetch, &done, &total)) {
        progress_show(&pull->progress, loop_now_ms(pull->loop), done, total);
    }
}

static void on_end(void *context, const char *path, const struct err *err) {
    struct pull *pull = context;
    progress_end(&pull->progress);
    pull->worked = path != NULL;
    if (path != NULL) {
        printf("%s is %s: %s\n", pull->progress.name,
               model_fetch_came(pull->fetch) ? "here and verified" : "already here", path);
        fflush(stdout);
    } else if (!pull->stopped) {
        command_fail(err);
    }
    pull->fetch = NULL;
    loop_stop(pull->loop);
}

static bool use_mirror(struct pull *pull, const struct catalog_model *model, struct err *err) {
    const char *sha256 = pull->config->sha256 != NULL ? pull->config->sha256 : model->sha256;
    const struct option_list *from = &pull->config->from;
    if (sha256 == NULL) {
        return err_set(err, ERR_INVALID, "model %s is not pinned in the catalog: --sha256 is needed", model->id);
    }
    if (!model_added_init(&pull->added, model->id, sha256, from->items, from->count, err)) {
        return false;
    }
    if (model->sha256 != NULL && strcmp(pull->added.sha256, model->sha256) != 0) {
        return err_set(err, ERR_INVALID, "the SHA-256 of %s is %s in the catalog", model->id, model->sha256);
    }
    pull->mirrored = *model;
    pull->mirrored.sha256 = pull->added.sha256;
    memcpy(pull->mirrored.sources, pull->added.model.sources, sizeof(pull->mirrored.sources));
    return true;
}

static bool add(struct pull *pull, const char *id, struct err *err) {
    const struct option_list *from = &pull->config->from;
    if (pull->config->sha256 == NULL) {
        return err_set(err, ERR_INVALID, "model '%.64s' is not in the catalog: --from needs --sha256", id);
    }
    return model_added_init(&pull->added, id, pull->config->sha256, from->items, from->count, err) &&
           model_added_write(&pull->added, pull->folder, err);
}

/* The model to fetch, or NULL. */
static const struct catalog_model *resolve(struct pull *pull, const char *name, struct err *err) {
    const struct catalog_model *model = catalog_find(str_from(name));
    if (pull->config->from.count > 0) {
        if (model != NULL) {
            return use_mirror(pull, model, err) ? &pull->mirrored : NULL;
        }
        return add(pull, name, err) ? &pull->added.model : NULL;
    }
    model = model_added_find(&pull->added, pull->folder, name);
    if (model == NULL) {
        err_set(err, ERR_NOT_FOUND,
                "model '%.64s' is unknown; 'nataris catalog' has the known ones, --from and --sha256 add others", name);
    } else if (model->sha256 == NULL) {
        err_set(err, ERR_UNSUPPORTED, "model %s is not pinned in the catalog, so no file of it can be trusted",
                model->id);
        model = NULL;
    }
    return model;
}

static bool pull_one(struct pull *pull, const char *name) {
    struct err err = {0};
    const struct catalog_model *model = resolve(pull, name, &err);
    if (model == NULL) {
        command_fail(&err);
        return false;
    }
    progress_init(&pull->progress, &pull->line, model->id);
    if (!model_fetch_start(&pull->fetch, pull->loop, model, pull->folder, &pull->room, false, on_end, pull, &err)) {
        command_fail(&err);
        return false;
    }
    loop_timer_start(pull->timer, POLL_MS, POLL_MS);
    loop_run(pull->loop);
    loop_timer_stop(pull->timer);
    return pull->worked;
}

static int pull_all(struct pull *pull) {
    const struct option_list *names = &pull->config->names;
    int status = COMMAND_OK;
    for (size_t i = 0; i < names->count && !pull->stopped; i++) {
        if (!pull_one(pull, names->items[i])) {
            status = COMMAND_FAILED;
        }
    }
    if (pull->stopped) {
        fprintf(stderr, "nataris: stopped; what has come is kept, and the next pull goes on from there\n");
        status = COMMAND_INTERRUPTED;
    }
    return status;
}

static bool check(const struct pull_config *config, struct err *err) {
    if (config->names.count == 0) {
        return err_set(err, ERR_INVALID, "NAME is missing: 'nataris catalog' lists the models");
    }
    if (config->from.count > 0 && config->names.count > 1) {
        return err_set(err, ERR_INVALID, "--from is for one model at a time");
    }
    if (config->from.count == 0 && config->sha256 != NULL) {
        return err_set(err, ERR_INVALID, "--sha256 goes with --from");
    }
    return command_set_log_level(config->log_level, err);
}

static int run_pull(const void *parsed) {
    const struct pull_config *config = parsed;
    struct pull pull = {.config = config};
    struct err err = {0};
    if (!check(config, &err)) {
        return command_misused(&err);
    }
    if (!model_text_folder(pull.folder, config->models, &err)) {
        return command_fail(&err);
    }
    for (size_t i = 0; i < config->names.count; i++) {
        pull.ids[i] = model_text_id(config->names.items[i]);
    }
    /* Without a quota nothing goes unasked: the person may prefer to choose. */
    pull.room = (struct model_store_room){.quota_bytes = config->model_quota,
                                          .may_remove = config->model_quota > 0,
                                          .keep = pull.ids,
                                          .keep_count = config->names.count};
    pull.loop = loop_new();
    pull.timer = loop_timer_new(pull.loop, on_timer, &pull);
    progress_line_init(&pull.line, config->quiet);
    signals_open(&pull.signals, pull.loop, on_stop_asked, &pull);
    int status = pull_all(&pull);
    signals_close(&pull.signals);
    loop_timer_free(pull.timer);
    loop_run(pull.loop);
    loop_free(pull.loop);
    return status;
}

#define AT(member) offsetof(struct pull_config, member)
static const struct option OPTIONS[] = {
    {"name", OPTION_ARGUMENT_LIST, "NAME", NULL, "id or alias of the catalog, or id of a model added before",
     AT(names)},
    {"from", OPTION_LIST, "URL", NULL,
     "fetch NAME from here (https; http from this machine only); adds a model when the catalog has none of that id",
     AT(from)},
    {"sha256", OPTION_TEXT, "HEX", NULL, "hash of the file at --from; needed for a model that is added", AT(sha256)},
    OPTION_MODELS(struct pull_config),
    {"model-quota", OPTION_BYTES, "SIZE", "0",
     "quota of the folder, such as 20G; the least recently used models go to keep it; 0: none", AT(model_quota)},
    {"quiet", OPTION_FLAG, NULL, NULL, "no progress bar", AT(quiet)},
    OPTION_LOG_LEVEL(struct pull_config, "warn"),
    OPTION_CONFIG_FILE(struct pull_config, config),
};
#undef AT

const struct command COMMAND_MODEL_PULL = {.name = "model pull",
                                           .summary = "Fetch models into this device's model folder",
                                           .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                           .config_size = sizeof(struct pull_config),
                                           .run = run_pull};
