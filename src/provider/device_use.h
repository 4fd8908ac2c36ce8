/* Whether somebody uses the device, without any service's help:
 * - a terminal's access time moves when what was typed is read (8 s coarse, drivers/tty of Linux);
 * - interrupts of the keyboard controller and of I2C touchpads are counted in /proc/interrupts;
 * - a USB keyboard or mouse completes a transfer (`urbnum`) only when it has something to say. */
#ifndef NATARIS_PROVIDER_DEVICE_USE_H
#define NATARIS_PROVIDER_DEVICE_USE_H

#include "base/buf.h"

#include <stdint.h>

#define DEVICE_IDLE_UNKNOWN UINT32_MAX

struct device_use {
    uint32_t idle_s; /* since somebody typed at a terminal; DEVICE_IDLE_UNKNOWN when there is none */
    /* Counts up with what keyboards, mice and touchpads send; 0 when none can be seen. Only a change means something:
     * then somebody used the device between two looks. */
    uint64_t input_events;
};

/* `root` is put before every path; `text` is scratch for the files that are read. */
struct device_use device_use_read(const char *root, struct buf *text);

#endif
