/* One HTTP request over a Unix socket in a data folder: to a running gateway or provider. */
#ifndef NATARIS_CMD_SOCKET_CALL_H
#define NATARIS_CMD_SOCKET_CALL_H

#include "base/buf.h"
#include "base/err.h"

struct socket_call {
    const char *socket_path, *method, *path; /* path with its query */
    struct str body;                         /* JSON, or empty */
    const char *header;                      /* a further header line; may be NULL */
    struct buf *reply;                       /* appended to */
};

enum socket_outcome {
    SOCKET_ANSWERED, /* with *status, whatever it is */
    SOCKET_NOBODY,   /* no socket, or that of a process that is gone */
    SOCKET_FAILED,   /* err says why; it may have been done all the same */
};
enum socket_outcome socket_call(const struct socket_call *call, int *status, struct err *err);

#endif
