/* What the device is, read from /proc, /sys and /etc of Linux. */
#ifndef NATARIS_PROVIDER_DEVICE_FACTS_H
#define NATARIS_PROVIDER_DEVICE_FACTS_H

#include <stdint.h>

enum { DEVICE_TEXT_SIZE = 128 };

struct device_facts { /* fixed while the program runs; a text is empty and a number 0 when unknown */
    char name[DEVICE_TEXT_SIZE], os[DEVICE_TEXT_SIZE], arch[DEVICE_TEXT_SIZE], cpu[DEVICE_TEXT_SIZE];
    uint32_t cores;
    uint64_t ram_bytes;
};

/* `root` is put before every path: "/" for the machine itself, a folder for tests. */
void device_facts_read(struct device_facts *facts, const char *root);

#endif
