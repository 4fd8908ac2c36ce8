/* Models that the catalog does not have: a person added them, pinned by their SHA-256, with the addresses to fetch them
 * from. ID.gguf.source in the model folder remembers that: the hash, then one address per line. */
#ifndef NATARIS_PROVIDER_MODEL_ADDED_H
#define NATARIS_PROVIDER_MODEL_ADDED_H

#include "base/digest.h"
#include "base/err.h"
#include "catalog/catalog.h"
#include "wire/limits.h"

enum { MODEL_ADDED_URL_MAX = 1024 };

struct model_added {
    struct catalog_model model; /* points into this struct: not to be copied. Only what fetching needs is set. */
    char id[LIMIT_MODEL_ID_BYTES + 1], sha256[DIGEST_HEX_SIZE];
    char urls[CATALOG_SOURCES_MAX][MODEL_ADDED_URL_MAX];
};

/* ERR_INVALID, for the person who typed it, when the id, the hash or an address cannot be. */
MUST_CHECK bool model_added_init(struct model_added *added, const char *id, const char *sha256, const char *const *urls,
                                 size_t url_count, struct err *err);
/* ERR_NOT_FOUND when the folder has no such model. */
MUST_CHECK bool model_added_read(struct model_added *added, const char *folder, const char *id, struct err *err);
/* Makes the folder, too. */
MUST_CHECK bool model_added_write(const struct model_added *added, const char *folder, struct err *err);
/* The model of this id or alias in the catalog, or else the one of this id in the folder (in *added); NULL: neither. */
const struct catalog_model *model_added_find(struct model_added *added, const char *folder, const char *name);

#endif
