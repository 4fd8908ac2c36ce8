/* How a device is doing, and one look at it, which each part of device_state_read adds to. */
#ifndef NATARIS_PROVIDER_DEVICE_LOOK_H
#define NATARIS_PROVIDER_DEVICE_LOOK_H

#include "base/buf.h"
#include "link/status.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVICE_HEAT_UNKNOWN = INT32_MIN };
#define DEVICE_IDLE_UNKNOWN UINT32_MAX

struct device_state {
    enum link_heat heat;
    int32_t hottest_c;       /* of the zones that can be read, in degrees Celsius; or DEVICE_HEAT_UNKNOWN */
    int32_t battery_percent; /* -1: no battery */
    bool charging;           /* true on mains power, too */
    bool metered;            /* the way to the internet is a mobile network or a tethered phone */
    uint32_t idle_s;         /* since somebody typed at a terminal; DEVICE_IDLE_UNKNOWN when there is none */
    /* Counts up with what keyboards, mice and touchpads send; 0 when none can be seen. Only a change means something:
     * then somebody used the device between two looks. */
    uint64_t input_events;
    uint64_t ram_free_bytes;
};

struct device_look {
    struct device_state *state;
    const char *root;
    struct buf text; /* of the file that is read at the moment */
};

#endif
