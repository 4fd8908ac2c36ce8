/* What a name of a model means on this device. */
#ifndef NATARIS_PROVIDER_HOSTED_MODEL_SPEC_H
#define NATARIS_PROVIDER_HOSTED_MODEL_SPEC_H

#include "base/err.h"
#include "catalog/catalog.h"
#include "wire/limits.h"

#include <stdbool.h>

/* What a model named by the device's owner is. */
struct hosted_model_spec {
    char id[LIMIT_MODEL_ID_BYTES + 1];
    const struct catalog_model
        *catalog;     /* NULL: added, a file named by path, or only an engine without files knows it */
    const char *path; /* NULL: its file is looked for, or none is needed */
    char upstream[LIMIT_NAME_BYTES + 1]; /* its name at an upstream; empty: it has none */
    bool added;                          /* a person added it to the model folder (model_added.h) */
};

/* `name` is a catalog id, an alias, a path, or the id of a model added to `model_folder`. Without `needs_file`
 * (scripted engine) any id will do. The errors are for the person who typed it. spec->path borrows `name`. */
MUST_CHECK bool hosted_model_resolve(struct hosted_model_spec *spec, const char *name, const char *model_folder,
                                     bool needs_file, struct err *err);
/* A model at an upstream: "ID=NAME" or, where the name there is an id too, "NAME". */
MUST_CHECK bool hosted_model_resolve_upstream(struct hosted_model_spec *spec, const char *name, struct err *err);

#endif
