/* How reliable and how fast a device has been, between the core and the store: it outlives the device's link and this
 * process. */
#ifndef NATARIS_GATEWAY_RECORDS_H
#define NATARIS_GATEWAY_RECORDS_H

#include "core/core.h"
#include "store/devices.h"

#include <stdbool.h>

/* Of a device never seen before: the core's benefit of the doubt. */
struct core_record record_from_store(const struct store_record *kept);
/* Whether the store should be told. Uptime alone is no reason: it is told when the device leaves, and a gateway that
 * dies loses little of it. */
bool record_has_changed(const struct store_record *kept, const struct core_record *now);
/* Puts what the record is now into `device` and into the store. */
void record_keep(struct store *store, struct store_device *device, const struct core_record *now);

#endif
