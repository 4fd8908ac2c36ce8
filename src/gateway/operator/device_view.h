/* What is known of a device at this moment, for the operator and for its owner. */
#ifndef NATARIS_GATEWAY_OPERATOR_DEVICE_VIEW_H
#define NATARIS_GATEWAY_OPERATOR_DEVICE_VIEW_H

#include "base/json_write.h"
#include "core/core.h"
#include "link/status.h"
#include "store/devices.h"

#include <stdint.h>

struct device_view {
    const struct core *core;
    uint64_t handle; /* CORE_NO_HANDLE: it is away */
    uint64_t now_ms; /* the core's clock */
    /* Of one that is connected. */
    int64_t joined_ms; /* wall clock */
    enum link_pause pause;
    bool evades; /* answers of some of its models cannot be judged, though others' can */
    /* Of one that is away. */
    int64_t last_seen_ms;              /* wall clock; 0: not known */
    struct core_record kept;           /* as it was then */
    const struct store_device *device; /* as the store has it */
};

/* Members into the open object: what is live of the device, or what was kept of one that is away. */
void device_view_write(const struct device_view *view, struct json_writer *writer);

#endif
