/* Inside device_state_read: how hot the device is. */
#ifndef NATARIS_PROVIDER_DEVICE_HEAT_H
#define NATARIS_PROVIDER_DEVICE_HEAT_H

#include "provider/device_look.h"

/* For device_each_entry; `context` is the look. */
void device_read_zone(void *context, const char *folder, const char *zone);

#endif
