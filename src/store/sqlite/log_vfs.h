/* A file system layer for SQLite that writes its log (WAL) in few pieces. SQLite writes each page of a commit with two
 * system calls, which under load is a fifth of what a settlement costs; here they gather in memory until the sync that
 * ends the commit, or until the log is read. Only for synchronous=FULL: without that sync other connections would be
 * told of pages that are not in the file yet. */
#ifndef NATARIS_STORE_SQLITE_LOG_VFS_H
#define NATARIS_STORE_SQLITE_LOG_VFS_H

#include "base/compiler.h"
#include "base/err.h"

/* Gives the name of such a layer over the layer `base` (NULL: the usual one), for sqlite3_open_v2. From any thread. */
MUST_CHECK bool sqlite_log_vfs(const char *base, const char **name, struct err *err);

#endif
