/* Brings a file from an https address (http only from this very machine). Blocking; runs on a model_fetch's thread. */
#ifndef NATARIS_PROVIDER_FETCH_URL_H
#define NATARIS_PROVIDER_FETCH_URL_H

#include "base/err.h"
#include "net/http_client.h"
#include "provider/fetch_control.h"
#include "provider/part_file.h"

/* Asked once, when it is known how many bytes are still to come and before the first of them is written. */
struct fetch_room {
    bool (*make)(void *context, uint64_t bytes, struct err *err);
    void *context;
};

/* The thread's own: nobody else turns `loop` meanwhile. */
struct fetch_line {
    struct loop *loop;
    struct http_client *client; /* on the loop; for every address */
};

/* Goes on where `part` ends (a Range request) and goes on again when the connection breaks, as long as bytes come.
 * `bytes` is the file's size; when it is not known (0), the server must say it. More than that is refused. ERR_CLOSED
 * when cancelled, ERR_IO when the disk is full, the error of `room`, else ERR_UNAVAILABLE with the reason. */
MUST_CHECK bool fetch_url(const struct fetch_line *line, const char *url, uint64_t bytes, struct part_file *part,
                          const struct fetch_room *room, struct fetch_control *control, struct err *err);

#endif
