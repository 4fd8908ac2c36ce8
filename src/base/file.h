/* Small whole-file helpers. */
#ifndef NATARIS_BASE_FILE_H
#define NATARIS_BASE_FILE_H

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { FILE_PATH_MAX = 1024 };

/* Joins two path parts with '/'; ERR_TOO_LARGE when it does not fit FILE_PATH_MAX. */
MUST_CHECK bool file_join(char out[FILE_PATH_MAX], const char *folder, const char *name, struct err *err);
/* mkdir -p with mode 0700 for what is made. */
MUST_CHECK bool file_make_folders(const char *path, struct err *err);
MUST_CHECK bool file_read(const char *path, struct buf *out,
                          struct err *err); /* ERR_NOT_FOUND when absent; bounded by out->limit */
/* Writes a temporary file next to `path`, fsyncs it, renames it over `path`, fsyncs the folder. `mode` such as 0600. */
MUST_CHECK bool file_write_atomic(const char *path, struct str content, unsigned mode, struct err *err);
bool file_exists(const char *path);
/* A warning in the log when others than its owner and group may read or change it, as secrets and folders of them must
 * not be. `what` it is, in words. */
void file_warn_open(const char *path, const char *what);
/* Holds the file at `path` (made when missing) until the process ends, however it ends. ERR_CONFLICT when another
 * process holds it. */
MUST_CHECK bool file_lock(const char *path, struct err *err);
/* The folder of the running executable, without a slash at the end. */
MUST_CHECK bool file_executable_folder(char out[FILE_PATH_MAX], struct err *err);

#ifdef __cplusplus
}
#endif
#endif
