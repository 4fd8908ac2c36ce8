/* What the loop consists of: for the files of this folder. */
#ifndef NATARIS_NET_LOOP_STATE_H
#define NATARIS_NET_LOOP_STATE_H

#include "net/chunk.h"
#include "net/deadline.h"

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

enum { LOOP_READ_BYTES = 64 * 1024, LOOP_PLAIN_BYTES = 16 * 1024, LOOP_RELIEVE_AT = 64 };

struct loop_deferred; /* net/loop.h */

struct loop_queue {
    struct loop_deferred *first, *last;
    size_t count;
};

struct loop {
    uv_loop_t uv;
    uv_prepare_t before_poll; /* timers and closed handles write too: what they wrote must leave before sleeping */
    uv_check_t after_poll;
    struct loop_queue deferred, deferred_last;
    struct deadline_heap deadlines;
    struct chunk_pool chunks;
    char *read_buffer;  /* LOOP_READ_BYTES; every connection reads into it */
    char *plain_buffer; /* LOOP_PLAIN_BYTES; every TLS connection decrypts into it */
    bool stopped;
};

#endif
