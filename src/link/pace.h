/* How much one link may say in a second: a device that floods the gateway is read more slowly, and the rest waits in
 * its own machine. Pure. */
#ifndef NATARIS_LINK_PACE_H
#define NATARIS_LINK_PACE_H

#include "base/bucket.h"
#include "link/message.h"

#include <stddef.h>
#include <stdint.h>

struct link_pace_limits {
    struct bucket_rate messages, bytes;
};
/* So much in a second, and two seconds' worth at once; 0: no limit. */
void link_pace_limits_init(struct link_pace_limits *limits, uint32_t messages_per_s, uint32_t bytes_per_s);

struct link_pace { /* zeroed at first */
    struct bucket messages, bytes;
};
/* A message has come. Returns for how many ms nothing more should be read; 0: it may go on. A status counts for as many
 * messages as it costs to look at. */
uint64_t link_pace_heard(struct link_pace *pace, const struct link_pace_limits *limits, enum link_kind kind,
                         size_t bytes, uint64_t now_ms);

#endif
