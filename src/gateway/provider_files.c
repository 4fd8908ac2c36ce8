#include "gateway/provider_files.h"

#include "base/mem.h"
#include "catalog/catalog.h"

#include <stdlib.h>

/* FNV-1a. Two models of one device that share a hash would only share what is known of their files. */
uint64_t provider_files_model(struct str model) {
    uint64_t value = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < model.len; i++) {
        value = (value ^ (uint8_t)model.data[i]) * UINT64_C(0x100000001b3);
    }
    return value;
}

static bool file_of(const struct link_model *model, struct provider_file *out) {
    struct str sha256 = model->sha256;
    if (sha256.len == 0) {
        const struct catalog_model *known = catalog_find(model->id);
        sha256 = known != NULL ? str_from(known->sha256) : STR("");
    }
    out->model = provider_files_model(model->id);
    out->context_length = model->context_length;
    out->tells_ids = (model->kinds & LINK_JOB_KIND_BIT(LINK_JOB_KIND_SCORE)) != 0;
    out->scores = out->tells_ids && model->state == LINK_MODEL_WARM;
    return digest_from_hex(sha256, out->sha256, sizeof(out->sha256));
}

void provider_files_set(struct provider_files *files, const struct link_model *models, size_t count) {
    size_t known = 0;
    files->items = mem_realloc(files->items, (count + 1) * sizeof(*files->items));
    for (size_t i = 0; i < count; i++) {
        known += file_of(&models[i], &files->items[known]);
    }
    files->count = known;
}

void provider_files_clear(struct provider_files *files) {
    free(files->items);
    *files = (struct provider_files){0};
}

const struct provider_file *provider_files_find(const struct provider_files *files, struct str model) {
    const uint64_t wanted = provider_files_model(model);
    for (size_t i = 0; i < files->count; i++) {
        if (files->items[i].model == wanted) {
            return &files->items[i];
        }
    }
    return NULL;
}
