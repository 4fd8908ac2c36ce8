/* The path of a Unix socket that is about to be listened on. Not for other folders. */
#ifndef NATARIS_NET_UNIX_PATH_H
#define NATARIS_NET_UNIX_PATH_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>

/* Removes a socket that nobody listens on any more. ERR_INVALID when the path does not fit a socket address,
 * ERR_CONFLICT when somebody listens there or the path is no socket. */
MUST_CHECK bool unix_path_prepare(const char *path, struct err *err);

#endif
