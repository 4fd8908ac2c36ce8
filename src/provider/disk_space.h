/* What a folder's disk has left. */
#ifndef NATARIS_PROVIDER_DISK_SPACE_H
#define NATARIS_PROVIDER_DISK_SPACE_H

#include "base/compiler.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

MUST_CHECK bool disk_space_free(const char *folder, uint64_t *bytes, struct err *err);
/* Clear words for a full disk: ERR_IO. Returns false. */
bool disk_space_short(const char *folder, uint64_t needed_bytes, struct err *err);

#endif
