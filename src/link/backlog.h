/* What a peer was sent and has not taken yet. One that takes nothing costs memory, whatever it says meanwhile. Pure. */
#ifndef NATARIS_LINK_BACKLOG_H
#define NATARIS_LINK_BACKLOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct link_backlog {  /* zeroed at first */
    uint64_t queued;   /* bytes sent in all; the caller adds to it */
    uint64_t taken;    /* of them, when it last moved */
    uint64_t moved_ms; /* when that was */
    uint32_t looks;    /* since then */
};

/* Called now and then with what is unsent at the moment. True: the peer has taken less than LIMIT_LINK_TAKEN_BYTES for
 * so long, and cannot have been held up by a loop that stood still; when memory is short (`crowded`), since the last
 * look but one. */
bool link_backlog_is_stuck(struct link_backlog *backlog, size_t unsent, uint64_t patience_ms, bool crowded,
                           uint64_t now_ms);

#endif
