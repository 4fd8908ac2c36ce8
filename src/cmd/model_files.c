#include "cmd/model_files.h"

#include "catalog/catalog.h"
#include "provider/model_added.h"
#include "provider/model_store.h"
#include "provider/provider_options.h"

void model_files_init(struct model_files *files, const char *folder, const struct option_list *named) {
    *files = (struct model_files){0};
    if (named != NULL) {
        files->named = *named;
    }
    if (folder != NULL && folder[0] != '\0') {
        (void)str_copy(files->folder, sizeof(files->folder), str_from(folder));
    } else if (!provider_default_model_folder(files->folder, sizeof(files->folder), NULL)) {
        files->folder[0] = '\0';
    }
}

/* What the owner has named by its path is served under a name made of that. */
static bool find_named(const struct model_files *files, struct str model, char out[FILE_PATH_MAX]) {
    char id[FILE_PATH_MAX];
    for (size_t i = 0; i < files->named.count; i++) {
        const char *path = files->named.items[i];
        if (catalog_find(str_from(path)) == NULL && model_store_id_of_path(id, sizeof(id), path, NULL) &&
            str_equal_cstr(model, id) && model_store_check_gguf(path, NULL)) {
            return str_copy(out, FILE_PATH_MAX, str_from(path));
        }
    }
    return false;
}

static bool find_built_in(const struct catalog_model *model, char out[FILE_PATH_MAX]) {
    for (size_t i = 0; i < CATALOG_SOURCES_MAX; i++) {
        if (model->sources[i].kind == CATALOG_SOURCE_BUILT_IN &&
            model_store_find_built_in(out, model->sources[i].location, NULL)) {
            return true;
        }
    }
    return false;
}

bool model_files_find(void *context, struct str model, char out[FILE_PATH_MAX]) {
    const struct model_files *files = context;
    struct model_added added;
    char id[LIMIT_MODEL_ID_BYTES + 1];
    if (find_named(files, model, out)) {
        return true;
    }
    if (!str_copy(id, sizeof(id), model)) {
        return false;
    }
    const struct catalog_model *found =
        files->folder[0] != '\0' ? model_added_find(&added, files->folder, id) : catalog_find(model);
    if (found == NULL) {
        return false;
    }
    return find_built_in(found, out) ||
           (files->folder[0] != '\0' && found->sha256 != NULL &&
            model_store_path(out, files->folder, found->id, NULL) && model_store_is_verified(out, found->sha256));
}
