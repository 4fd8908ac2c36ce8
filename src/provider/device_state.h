/* Inside device_state_read: one look at the device, which each part adds to. Not for others. */
#ifndef NATARIS_PROVIDER_DEVICE_STATE_H
#define NATARIS_PROVIDER_DEVICE_STATE_H

#include "provider/device_facts.h"
#include "provider/device_read.h"

struct device_look {
    struct device_state *state;
    const char *root;
    struct buf text; /* of the file that is read at the moment */
};

/* For device_each_entry; `context` is the look. */
void device_read_zone(void *context, const char *folder, const char *zone);
void device_read_network(struct device_look *look);
void device_read_use(struct device_look *look);

#endif
