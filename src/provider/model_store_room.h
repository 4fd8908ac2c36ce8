/* Room for models in their folder (provider/model_store.h): the quota, the disk, and who goes first. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_ROOM_H
#define NATARIS_PROVIDER_MODEL_STORE_ROOM_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How much the folder may hold, and what may go for new models. Beyond any quota some of the disk is always left. */
struct model_store_room {
    uint64_t quota_bytes;    /* 0: as the disk has */
    bool may_remove;         /* the least recently used models make room for new ones */
    const char *const *keep; /* ids that stay all the same; borrowed */
    size_t keep_count;
};
/* Sees to it that `bytes` more may be written for model `id`. If room is short and may_remove is set, other models go:
 * damaged ones, then abandoned parts, then whole ones, the least recently used first. Never a model that is pinned, in
 * use, being fetched, kept or unknown; and none at all when that would not be enough. `room` NULL: no quota, nothing
 * goes. ERR_TOO_LARGE when the quota, ERR_IO when the disk does not allow it. */
MUST_CHECK bool model_store_make_room(const char *folder, const char *id, uint64_t bytes,
                                      const struct model_store_room *room, struct err *err);
/* What may be written without removing anything: `free_bytes`; and what would be won by removing what may go. */
struct model_store_space {
    uint64_t used_bytes, free_bytes, removable_bytes;
};
MUST_CHECK bool model_store_measure(struct model_store_space *out, const char *folder,
                                    const struct model_store_room *room, struct err *err);

#endif
