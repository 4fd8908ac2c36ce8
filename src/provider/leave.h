/* Taking this device out of its network, for good: `nataris provider leave`. */
#ifndef NATARIS_PROVIDER_LEAVE_H
#define NATARIS_PROVIDER_LEAVE_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdint.h>

struct leave_options { /* borrowed */
    const char *gateway_url, *data_folder;
    const char *ca_file; /* PEM authorities; NULL: the system's */
    uint32_t wait_ms;    /* for the gateway, in all */
};

/* Tells the gateway with the key of this folder, waits until it has closed the link for that reason, and removes the
 * key: a provider started here again is a new device. A provider that still runs on this folder is refused from then on
 * and ends. Runs a loop of its own. ERR_NOT_FOUND: no device has ever been here; ERR_UNAVAILABLE: the gateway did not
 * confirm in time, and the key is still there; ERR_DENIED: it refuses this device for another reason. */
MUST_CHECK bool leave_network(const struct leave_options *options, struct err *err);

#endif
