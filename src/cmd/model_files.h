/* Which model files a gateway may count tokens with: those that this machine's providers have, and only when they are
 * known to be what they should be. */
#ifndef NATARIS_CMD_MODEL_FILES_H
#define NATARIS_CMD_MODEL_FILES_H

#include "base/file.h"
#include "base/str.h"
#include "cmd/options.h"

#include <stdbool.h>

struct model_files {
    struct option_list named;   /* as `up --model` has them: ids, and paths of GGUF files that the owner trusts */
    char folder[FILE_PATH_MAX]; /* of models (provider/model_store.h); empty: none */
};

/* `folder` NULL or empty: the default one (provider_default_model_folder). */
void model_files_init(struct model_files *files, const char *folder, const struct option_list *named);
/* A counters_find (gateway/counters.h) whose context is the struct. A file of the folder is taken when its hash was
 * found right and it has not changed since; nothing is hashed. */
bool model_files_find(void *context, struct str model, char out[FILE_PATH_MAX]);

#endif
