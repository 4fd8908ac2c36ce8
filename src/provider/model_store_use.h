/* Marks on the models of the folder (provider/model_store.h): in use, used last, pinned; and removing one. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_USE_H
#define NATARIS_PROVIDER_MODEL_STORE_USE_H

#include "base/err.h"

#include <stdbool.h>

/* Says that this process uses the model: nobody removes its file until the mark is given back, and it is the one used
 * last. `mark` is -1 for a file that lies elsewhere (built in, or named by path), where nothing is to be kept.
 * ERR_NOT_FOUND when the file was removed in the meantime, ERR_INVALID when it is no longer what was verified to have
 * `sha256` (NULL: not asked). Hashes nothing: what took its place is looked at by model_fetch. */
MUST_CHECK bool model_store_use(const char *folder, const char *id, const char *path, const char *sha256, int *mark,
                                struct err *err);
void model_store_unuse(const char *folder, const char *id, int *mark);
/* Pins a model of the folder, or lets it go. ERR_NOT_FOUND when nothing of it is there. */
MUST_CHECK bool model_store_pin(const char *folder, const char *id, bool pinned, struct err *err);
/* Removes its files; with `forget` also where an added one comes from (.source) and that it is pinned. ERR_CONFLICT
 * while a process uses or fetches it, ERR_NOT_FOUND when nothing is there. */
MUST_CHECK bool model_store_remove(const char *folder, const char *id, bool forget, struct err *err);

#endif
