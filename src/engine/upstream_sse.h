/* Server-sent events, read as they come: the data of one event at a time, whatever pieces its bytes come in. */
#ifndef NATARIS_ENGINE_UPSTREAM_SSE_H
#define NATARIS_ENGINE_UPSTREAM_SSE_H

#include "base/buf.h"
#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>

enum { UPSTREAM_EVENT_MAX = 1024 * 1024 }; /* bytes of a line, and of an event's data */

struct upstream_sse {
    struct buf line, data;
    bool has_data;
    /* An event's data, borrowed for the call; false: no more of them. */
    bool (*on_event)(void *context, struct str data);
    void *context;
};

void upstream_sse_init(struct upstream_sse *sse, bool (*on_event)(void *context, struct str data), void *context);
void upstream_sse_clear(struct upstream_sse *sse);
/* False: on_event said so, or a line or an event is longer than UPSTREAM_EVENT_MAX. */
MUST_CHECK bool upstream_sse_feed(struct upstream_sse *sse, struct str bytes);
/* No more bytes come: servers leave out the blank line behind the last event. */
MUST_CHECK bool upstream_sse_end(struct upstream_sse *sse);

#endif
