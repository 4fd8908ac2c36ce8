/* DATA/paused: the owner's pause by hand, so that it outlives a restart. */
#ifndef NATARIS_PROVIDER_PAUSE_FILE_H
#define NATARIS_PROVIDER_PAUSE_FILE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct owner_pause {
    bool paused;
    int64_t until_ms; /* wall clock; 0: until resumed */
};

/* No file means no pause. One that is damaged means paused until resumed: the owner did ask for it. */
MUST_CHECK bool pause_file_read(const char *data_folder, struct owner_pause *out, struct err *err);
/* Atomic; without a pause the file is removed. */
MUST_CHECK bool pause_file_write(const char *data_folder, const struct owner_pause *pause, struct err *err);
/* Whether it holds at that moment. */
bool owner_pause_holds(const struct owner_pause *pause, int64_t now_ms);

#endif
