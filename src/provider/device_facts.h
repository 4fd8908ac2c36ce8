/* What the device is and how it is doing, read from /proc, /sys and /etc of Linux. */
#ifndef NATARIS_PROVIDER_DEVICE_FACTS_H
#define NATARIS_PROVIDER_DEVICE_FACTS_H

#include "link/link_codec.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVICE_TEXT_SIZE = 128 };

struct device_facts { /* fixed while the program runs; a text is empty and a number 0 when unknown */
    char name[DEVICE_TEXT_SIZE], os[DEVICE_TEXT_SIZE], arch[DEVICE_TEXT_SIZE], cpu[DEVICE_TEXT_SIZE];
    uint32_t cores;
    uint64_t ram_bytes;
};

struct device_state {
    enum link_heat heat;
    int32_t battery_percent; /* -1: no battery */
    bool charging;           /* true on mains power, too */
    uint64_t ram_free_bytes;
};

/* `root` is put before every path: "/" for the machine itself, a folder for tests. */
void device_facts_read(struct device_facts *facts, const char *root);
void device_state_read(struct device_state *state, const char *root);

#endif
