/* The model folder, and when a file in it may be trusted. Model files are hostile input: none is loaded whose SHA-256
 * is not the one pinned (in the catalog, or by who added the model), unless the device's owner names the file.
 *
 * Of a model ID the folder holds ID.gguf and beside it, with more endings: .part (what came so far, locked by who
 * fetches it), .damaged (moved aside, never loaded), .verified (the hash was right for this size, time of change and
 * inode), .used (its time of change is the last use), .pinned (never removed to make room), .source (see model_added.h).
 * Who uses ID.gguf holds a shared lock on it; the kernel drops locks with the process.
 * Functions that hash block; they run on the thread of a model_fetch. The others only touch names. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_H
#define NATARIS_PROVIDER_MODEL_STORE_H

#include "base/err.h"
#include "base/file.h"
#include "provider/fetch_control.h"
#include "wire/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MODEL_STORE_LIST_MAX = 1024 }; /* models in one folder */

/* FOLDER/<id>.gguf. ERR_INVALID for an id that is no file name: with a '/', or a '.' in front. */
MUST_CHECK bool model_store_path(char out[FILE_PATH_MAX], const char *folder, const char *id, struct err *err);
/* Hashes the file at `path`. With `remember`, a side file (path + ".verified": hash, size, time of change, inode) spares
 * hashing the same unchanged file again. ERR_NOT_FOUND when absent, ERR_INVALID when it is not the one wanted,
 * ERR_CLOSED when cancelled. */
MUST_CHECK bool model_store_verify(const char *path, const char *sha256, bool remember,
                                   const struct fetch_control *control, struct err *err);
/* Writes the side file for a file whose hash was checked while it was written. Failing only costs a hash later. */
void model_store_remember(const char *path, const char *sha256);
/* Whether the side file says that the file there has this hash, and nobody changed it since. Hashes nothing. */
bool model_store_is_verified(const char *path, const char *sha256);
/* Moves a file that is not the one wanted out of the way, to path + ".damaged". */
void model_store_set_aside(const char *path);
/* Removes that one; false when there is none. */
bool model_store_drop_aside(const char *path);
/* A model installed with the program: beside the executable, in its build tree, or in $NATARIS_SHARE/models. */
MUST_CHECK bool model_store_find_built_in(char out[FILE_PATH_MAX], const char *file_name, struct err *err);
/* The file exists and begins like a GGUF file. */
MUST_CHECK bool model_store_check_gguf(const char *path, struct err *err);
/* A model id made from a file's name: without folder and ".gguf", in lower case, other characters become '-'. */
MUST_CHECK bool model_store_id_of_path(char *out, size_t out_size, const char *path, struct err *err);

/* --- Use (model_store_use.c) --- */

/* Says that this process uses the model: nobody removes its file until the mark is given back, and it is the one used
 * last. `mark` is -1 for a file that lies elsewhere (built in, or named by path), where nothing is to be kept.
 * ERR_NOT_FOUND when the file was removed in the meantime, ERR_INVALID when it is no longer what was verified to have
 * `sha256` (NULL: not asked). Hashes nothing: what took its place is looked at by model_fetch. */
MUST_CHECK bool model_store_use(const char *folder, const char *id, const char *path, const char *sha256, int *mark,
                                struct err *err);
void model_store_unuse(const char *folder, const char *id, int *mark);
/* Pins a model of the folder, or lets it go. ERR_NOT_FOUND when nothing of it is there. */
MUST_CHECK bool model_store_pin(const char *folder, const char *id, bool pinned, struct err *err);
/* Removes its files; with `forget` also where an added one comes from (.source) and that it is pinned. ERR_CONFLICT while a
 * process uses or fetches it, ERR_NOT_FOUND when nothing is there. */
MUST_CHECK bool model_store_remove(const char *folder, const char *id, bool forget, struct err *err);

/* --- What is there (model_store_list.c) --- */

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

/* --- Room (model_store_room.c) --- */

/* How much the folder may hold, and what may go for new models. Beyond any quota some of the disk is always left. */
struct model_store_room {
    uint64_t quota_bytes;    /* 0: as the disk has */
    bool may_remove;         /* the least recently used models make room for new ones */
    const char *const *keep; /* ids that stay all the same; borrowed */
    size_t keep_count;
};
/* Sees to it that `bytes` more may be written for model `id`. If room is short and may_remove is set, other models go:
 * damaged ones, then abandoned parts, then whole ones, the least recently used first. Never a model that is pinned, in use,
 * being fetched, kept or unknown; and none at all when that would not be enough. `room` NULL: no quota, nothing goes.
 * ERR_TOO_LARGE when the quota, ERR_IO when the disk does not allow it. */
MUST_CHECK bool model_store_make_room(const char *folder, const char *id, uint64_t bytes,
                                      const struct model_store_room *room, struct err *err);
/* What may be written without removing anything: `free_bytes`; and what would be won by removing what may go. */
struct model_store_space {
    uint64_t used_bytes, free_bytes, removable_bytes;
};
MUST_CHECK bool model_store_measure(struct model_store_space *out, const char *folder,
                                    const struct model_store_room *room, struct err *err);
/* Clear words for a full disk. */
bool model_store_no_room(const char *folder, uint64_t bytes, struct err *err);

#endif
