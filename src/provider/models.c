#include "provider/models.h"

#include "base/file.h"
#include "base/log.h"
#include "provider/hosted_model_spec.h"
#include "provider/model_store_list.h"

#include <string.h>

static bool has(const struct provider_models *models, const char *id) {
    for (size_t i = 0; i < models->count; i++) {
        if (strcmp(models->specs[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static bool refuse_count(struct err *err) {
    return err_set(err, ERR_INVALID, "a provider serves 1 to %d models", LIMIT_LINK_MODELS);
}

static bool resolve(struct hosted_model_spec *spec, const char *name, const char *folder, const struct engine_ops *ops,
                    struct err *err) {
    return ops == &ENGINE_UPSTREAM ? hosted_model_resolve_upstream(spec, name, err)
                                   : hosted_model_resolve(spec, name, folder, ops->needs_file, err);
}

static bool add(struct provider_models *models, const char *name, const char *folder, const struct engine_ops *ops,
                struct err *err) {
    struct hosted_model_spec spec;
    if (models->count == LIMIT_LINK_MODELS) {
        return refuse_count(err);
    }
    if (!resolve(&spec, name, folder, ops, err)) {
        return false;
    }
    if (has(models, spec.id)) {
        return err_set(err, ERR_INVALID, "model %s is given twice", spec.id);
    }
    models->specs[models->count++] = spec;
    return true;
}

/* Every model, of the catalog or added, whose whole file is in the folder. */
static bool add_present(struct provider_models *models, const char *folder, struct err *err) {
    struct model_store_list list;
    if (!model_store_list_read(&list, folder, err)) {
        return false;
    }
    for (size_t i = 0; i < list.count && models->count < LIMIT_LINK_MODELS; i++) {
        const struct model_store_entry *entry = &list.entries[i];
        bool whole = entry->state == MODEL_STORE_READY || entry->state == MODEL_STORE_UNCHECKED;
        const struct catalog_model *catalog = catalog_find(str_from(entry->id));
        const char *id = catalog != NULL ? catalog->id : entry->id;
        if (whole && !has(models, id)) { /* one whose hash nobody knows is neither ready nor unchecked */
            struct hosted_model_spec spec = {.catalog = catalog, .added = catalog == NULL};
            str_copy(spec.id, sizeof(spec.id), str_from(id));
            models->specs[models->count++] = spec;
        }
    }
    model_store_list_clear(&list);
    return true;
}

static bool resolve_first_of(struct provider_models *models, const struct provider_options *options,
                             const struct engine_ops *ops, struct err *err) {
    if (options->first_of_count > MODEL_SET_FIRST_OF_MAX ||
        (options->first_of_count > 0 && models->count == LIMIT_LINK_MODELS)) {
        return err_set(err, ERR_INVALID, "the first of at most %d models is served, beside at most %d others",
                       MODEL_SET_FIRST_OF_MAX, LIMIT_LINK_MODELS - 1);
    }
    for (size_t i = 0; i < options->first_of_count; i++) {
        if (!resolve(&models->first_of[i], options->first_of[i], options->model_folder, ops, err)) {
            return false;
        }
        models->first_of_count++;
    }
    return true;
}

bool provider_models_resolve(struct provider_models *models, const struct provider_options *options,
                             const struct engine_ops *ops, struct err *err) {
    *models = (struct provider_models){0};
    for (size_t i = 0; i < options->model_count; i++) {
        if (!add(models, options->models[i], options->model_folder, ops, err)) {
            return false;
        }
    }
    models->kept = models->count;
    bool all = false;
    for (size_t i = 0; i < options->offer_count; i++) {
        bool is_all = strcmp(options->offers[i], PROVIDER_OFFER_ALL) == 0;
        all = all || is_all;
        if (!is_all && !add(models, options->offers[i], options->model_folder, ops, err)) {
            return false;
        }
    }
    if (all && !add_present(models, options->model_folder, err)) {
        return false;
    }
    return resolve_first_of(models, options, ops, err) &&
           (models->count > 0 || models->first_of_count > 0 || options->auto_models || refuse_count(err));
}

void provider_models_start(const struct provider_models *models, const struct provider_options *options,
                           const struct hosted_model_options *common, struct agent *agent) {
    struct hosted_model_options on_demand = *common;
    on_demand.on_demand = true;
    on_demand.keep_warm_ms = options->keep_warm_ms;
    on_demand.engine.memory_limit = 0; /* told when there is room for it */
    for (size_t i = 0; i < models->count; i++) {
        agent_add_model(agent, &models->specs[i], i < models->kept ? common : &on_demand);
    }
    if (models->first_of_count > 0) {
        agent_add_first_of(agent, models->first_of, models->first_of_count, common);
    }
    if (options->auto_models) {
        struct err err = {0};
        on_demand.room.may_remove = true;
        if (!file_make_folders(options->model_folder, &err)) { /* its free space is told */
            LOG_WARN_EVENT("provider.model_folder", LOG_TEXT("reason", err.message));
        }
        agent_allow_wants(agent, &on_demand);
    }
}
