/* What the model folder (provider/model_store.h) holds. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_LIST_H
#define NATARIS_PROVIDER_MODEL_STORE_LIST_H

#include "base/err.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_STORE_LIST_MAX = 1024 }; /* models in one folder */

enum model_store_state {
    MODEL_STORE_READY,     /* verified and unchanged since: may be loaded at once */
    MODEL_STORE_UNCHECKED, /* whole, but its hash is not known to be right: model_fetch checks it before it is used */
    MODEL_STORE_PARTIAL,   /* some of it has come */
    MODEL_STORE_ABSENT,    /* a person added it, but its file is not here now */
    MODEL_STORE_DAMAGED,   /* not the file it should be: it is fetched anew when asked for */
    MODEL_STORE_UNKNOWN,   /* nobody told its hash: an owner's own file; served by path only, never removed for room */
};
const char *model_store_state_name(enum model_store_state state);

struct model_store_entry {
    char id[LIMIT_MODEL_ID_BYTES + 1];
    enum model_store_state state;
    uint64_t bytes;       /* on the disk, with a part or a damaged file beside it */
    uint64_t bytes_total; /* of the whole model; 0: not known */
    int64_t used_ms;      /* wall clock; of the last use, or else of the file's coming */
    bool pinned, in_use;
    bool fetching; /* a process fetches it now */
};

struct model_store_list {
    struct model_store_entry *entries; /* owned; by id */
    size_t count;
};
/* Empty when there is no such folder. Nothing is hashed. */
MUST_CHECK bool model_store_list_read(struct model_store_list *list, const char *folder, struct err *err);
void model_store_list_clear(struct model_store_list *list);
/* Bytes of all of them. */
uint64_t model_store_list_bytes(const struct model_store_list *list);

#endif
