/* How the device is doing, read from /proc and /sys of Linux. */
#ifndef NATARIS_PROVIDER_DEVICE_STATE_H
#define NATARIS_PROVIDER_DEVICE_STATE_H

#include "provider/device_look.h"

/* `root` is put before every path, as in device_facts_read. What is read and how it is judged: docs/PROVIDERS.md,
 * "Limits". */
void device_state_read(struct device_state *state, const char *root);

#endif
