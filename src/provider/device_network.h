/* Inside device_state_read: whether the network costs money. */
#ifndef NATARIS_PROVIDER_DEVICE_NETWORK_H
#define NATARIS_PROVIDER_DEVICE_NETWORK_H

#include "provider/device_look.h"

void device_read_network(struct device_look *look);

#endif
