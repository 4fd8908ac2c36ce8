/* The model folder, and when a file in it may be trusted. Model files are hostile input: none is loaded whose SHA-256
 * is not the catalog's, unless the device's owner names the file. Functions that hash block; they run on the thread of
 * a model_fetch. */
#ifndef NATARIS_PROVIDER_MODEL_STORE_H
#define NATARIS_PROVIDER_MODEL_STORE_H

#include "base/err.h"
#include "base/file.h"
#include "provider/fetch_control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* FOLDER/<id>.gguf */
MUST_CHECK bool model_store_path(char out[FILE_PATH_MAX], const char *folder, const char *id, struct err *err);
/* Hashes the file at `path`. With `remember`, a side file (path + ".verified": hash, size, time of change, inode) spares
 * hashing the same unchanged file again. ERR_NOT_FOUND when absent, ERR_INVALID when it is not the one wanted,
 * ERR_CLOSED when cancelled. */
MUST_CHECK bool model_store_verify(const char *path, const char *sha256, bool remember,
                                   const struct fetch_control *control, struct err *err);
/* Writes the side file for a file whose hash was checked while it was written. Failing only costs a hash later. */
void model_store_remember(const char *path, const char *sha256);
/* A model installed with the program: beside the executable, in its build tree, or in $NATARIS_SHARE/models. */
MUST_CHECK bool model_store_find_built_in(char out[FILE_PATH_MAX], const char *file_name, struct err *err);
/* Is there room for `bytes` more in `folder`? */
MUST_CHECK bool model_store_check_room(const char *folder, uint64_t bytes, struct err *err);
/* Clear words for a full disk. */
bool model_store_no_room(const char *folder, uint64_t bytes, struct err *err);
/* The file exists and begins like a GGUF file. */
MUST_CHECK bool model_store_check_gguf(const char *path, struct err *err);
/* A model id made from a file's name: without folder and ".gguf", in lower case, other characters become '-'. */
MUST_CHECK bool model_store_id_of_path(char *out, size_t out_size, const char *path, struct err *err);

#endif
