/* How the device is doing, read from /proc and /sys of Linux. */
#ifndef NATARIS_PROVIDER_DEVICE_STATE_H
#define NATARIS_PROVIDER_DEVICE_STATE_H

#include "provider/device_heat.h"
#include "provider/device_use.h"

#include <stdbool.h>
#include <stdint.h>

struct device_state {
    enum link_heat heat;
    int32_t hottest_c;       /* as in struct device_heat */
    int32_t battery_percent; /* -1: no battery */
    bool charging;           /* true on mains power, too */
    bool metered;            /* the way to the internet is a mobile network or a tethered phone */
    uint32_t idle_s;         /* as in struct device_use, like the next */
    uint64_t input_events;
    uint64_t ram_free_bytes; /* within the control groups of this process, too */
};

/* `root` is put before every path, as in device_facts_read. What is read and how it is judged: docs/PROVIDERS.md,
 * "Limits". */
void device_state_read(struct device_state *state, const char *root);

#endif
