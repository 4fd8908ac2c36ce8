/* Small files below /proc, /sys and /etc, as device_facts and device_state read them. What cannot be read is empty. */
#ifndef NATARIS_PROVIDER_DEVICE_READ_H
#define NATARIS_PROVIDER_DEVICE_READ_H

#include "base/buf.h"
#include "base/file.h"

#include <stdbool.h>
#include <stdint.h>

enum { DEVICE_FILE_MAX = 256 * 1024 };

struct device_state;

/* One look at the device inside device_state_read, which each part adds to. */
struct device_look {
    struct device_state *state;
    const char *root;
    struct buf text; /* of the file that is read at the moment */
};

/* What fits of a file; nothing when it cannot be read. */
void device_read_text(struct buf *out, const char *root, const char *path);
/* The value behind "<key><blanks><separator>" in a text of such lines; empty when it is not there. */
struct str device_find_value(struct str text, const char *key, char separator);
/* The same of a line "<key>: <number> kB", in bytes; 0 when it is not there. */
uint64_t device_read_kib(struct str text, const char *key);
/* The first line of the file FOLDER/DEVICE/NAME, without blanks at its ends. */
struct str device_read_attribute(struct buf *text, const char *folder, const char *device, const char *name);
/* Calls `one` for each entry of the folder ROOT/PATH, in no order. */
void device_each_entry(const char *root, const char *path,
                       void (*one)(void *context, const char *folder, const char *name), void *context);

#endif
