/* How long a provider waits before it tries the gateway again (docs/PROTOCOL.md "Reconnecting"). */
#ifndef NATARIS_LINK_BACKOFF_H
#define NATARIS_LINK_BACKOFF_H

#include "base/random_source.h"

#include <stdint.h>

struct link_backoff {
    uint32_t min_ms, max_ms;
    uint32_t failures; /* in a row */
    struct random_source random;
};

void link_backoff_init(struct link_backoff *backoff, uint32_t min_ms, uint32_t max_ms, uint64_t seed);
/* After a failure: between half of and the whole ceiling, which starts at min_ms and doubles with each failure in a
 * row. Devices that lost the same gateway come back spread out, and none hammers. */
uint64_t link_backoff_next(struct link_backoff *backoff);
/* After a success. */
void link_backoff_reset(struct link_backoff *backoff);

#endif
