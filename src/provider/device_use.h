/* Inside device_state_read: whether somebody uses the device. */
#ifndef NATARIS_PROVIDER_DEVICE_USE_H
#define NATARIS_PROVIDER_DEVICE_USE_H

#include "provider/device_look.h"

void device_read_use(struct device_look *look);

#endif
