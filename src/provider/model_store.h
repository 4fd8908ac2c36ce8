/* The model folder, and when a file in it may be trusted. Model files are hostile input: none is loaded whose SHA-256
 * is not the one pinned (in the catalog, or by who added the model), unless the device's owner names the file.
 *
 * Of a model ID the folder holds ID.gguf and beside it, with more endings: .part (what came so far, locked by who
 * fetches it), .damaged (moved aside, never loaded), .verified (the hash was right for this size, time of change and
 * inode), .used (its time of change is the last use), .pinned (never removed to make room), .source (see
 * model_added.h). Who uses ID.gguf holds a shared lock on it; the kernel drops locks with the process. Functions that
 * hash block; they run on the thread of a model_fetch. The others only touch names. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_H
#define NATARIS_PROVIDER_MODEL_STORE_H

#include "base/err.h"
#include "base/file.h"
#include "provider/fetch_control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FOLDER/<id>.gguf. ERR_INVALID for an id that is no file name: with a '/', or a '.' in front. */
MUST_CHECK bool model_store_path(char out[FILE_PATH_MAX], const char *folder, const char *id, struct err *err);
/* Hashes the file at `path`. With `remember`, a side file (path + ".verified": hash, size, time of change, inode)
 * spares hashing the same unchanged file again. ERR_NOT_FOUND when absent, ERR_INVALID when it is not the one wanted,
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

#endif
