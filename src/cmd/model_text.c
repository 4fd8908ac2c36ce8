#include "cmd/model_text.h"

#include "catalog/catalog.h"
#include "provider/provider.h"

#include <stdio.h>

const char *model_text_bytes(uint64_t bytes, char out[MODEL_TEXT_SIZE]) {
    static const struct {
        double bytes;
        const char *name;
    } UNITS[] = {{1e12, "TB"}, {1e9, "GB"}, {1e6, "MB"}, {1e3, "kB"}};
    for (size_t i = 0; i < COUNT_OF(UNITS); i++) {
        if ((double)bytes >= UNITS[i].bytes) {
            snprintf(out, MODEL_TEXT_SIZE, "%.1f %s", (double)bytes / UNITS[i].bytes, UNITS[i].name);
            return out;
        }
    }
    snprintf(out, MODEL_TEXT_SIZE, "%u B", (unsigned)bytes);
    return out;
}

bool model_text_folder(char out[FILE_PATH_MAX], const char *given, struct err *err) {
    if (given == NULL) {
        return provider_default_model_folder(out, FILE_PATH_MAX, err);
    }
    return str_copy(out, FILE_PATH_MAX, str_from(given)) ||
           err_set(err, ERR_TOO_LARGE, "a path is longer than %d bytes", FILE_PATH_MAX - 1);
}

const char *model_text_id(const char *name) {
    const struct catalog_model *model = catalog_find(str_from(name));
    return model != NULL ? model->id : name;
}
