#include "provider/hosted_model_spec.h"

#include "provider/model_added.h"
#include "provider/model_store.h"

#include <string.h>

static bool is_path(const char *name) {
    struct str text = str_from(name);
    const struct str suffix = STR(".gguf");
    return strchr(name, '/') != NULL ||
           (text.len > suffix.len && str_equal_nocase((struct str){name + text.len - suffix.len, suffix.len}, suffix));
}

static bool refuse_unknown(const char *name, struct err *err) {
    return err_set(
        err, ERR_NOT_FOUND,
        "model '%.64s' is unknown: 'nataris catalog' lists the known ones; what 'nataris model pull' added and "
        "the path of a GGUF file will do, too",
        name);
}

static bool resolve_added(struct hosted_model_spec *spec, const char *name, const char *model_folder, struct err *err) {
    struct model_added added;
    struct err why = {0};
    spec->added = model_added_read(&added, model_folder, name, &why);
    if (spec->added) {
        return true;
    }
    return why.code == ERR_NOT_FOUND ? refuse_unknown(name, err) : err_set(err, why.code, "%s", why.message);
}

bool hosted_model_resolve(struct hosted_model_spec *spec, const char *name, const char *model_folder, bool needs_file,
                          struct err *err) {
    *spec = (struct hosted_model_spec){.catalog = catalog_find(str_from(name))};
    const char *id = spec->catalog != NULL ? spec->catalog->id : name;
    if (spec->catalog == NULL && is_path(name)) {
        spec->path = needs_file ? name : NULL;
        return model_store_id_of_path(spec->id, sizeof(spec->id), name, err) &&
               (!needs_file || model_store_check_gguf(name, err));
    }
    if (!str_copy(spec->id, sizeof(spec->id), str_from(id)) || !catalog_id_is_valid(str_from(id))) {
        return err_set(err, ERR_INVALID, "a model's id has 1 to %d letters, digits and . _ - / : @ +",
                       LIMIT_MODEL_ID_BYTES);
    }
    if (spec->catalog == NULL && needs_file) {
        return resolve_added(spec, name, model_folder, err);
    }
    if (needs_file && spec->catalog->sha256 == NULL) {
        return err_set(err, ERR_UNSUPPORTED, "model %s has no known file yet; give the path of one", spec->id);
    }
    return true;
}

bool hosted_model_resolve_upstream(struct hosted_model_spec *spec, const char *name, struct err *err) {
    struct str id, upstream;
    *spec = (struct hosted_model_spec){0};
    if (!str_split(str_from(name), '=', &id, &upstream)) {
        upstream = id;
    }
    spec->catalog = catalog_find(id); /* an alias has its model's id */
    if (!str_copy(spec->id, sizeof(spec->id), spec->catalog != NULL ? str_from(spec->catalog->id) : id) ||
        !catalog_id_is_valid(id)) {
        return err_set(err, ERR_INVALID,
                       "a model's id has 1 to %d letters, digits and . _ - / : @ +; one with another name at the "
                       "upstream is given as ID=NAME",
                       LIMIT_MODEL_ID_BYTES);
    }
    if (upstream.len == 0 || !str_copy(spec->upstream, sizeof(spec->upstream), upstream)) {
        return err_set(err, ERR_INVALID, "a model's name at an upstream has 1 to %d bytes", LIMIT_NAME_BYTES);
    }
    return true;
}
