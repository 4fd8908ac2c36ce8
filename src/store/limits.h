/* What all headers of this folder have in common: limits, and what errors mean. Types only. */
#ifndef NATARIS_STORE_LIMITS_H
#define NATARIS_STORE_LIMITS_H

#include "base/compiler.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;            /* store.h */
struct store_connection; /* driver.h */

enum {
    STORE_ID_MAX = 40,
    STORE_NAME_MAX = 128,
    STORE_MODEL_MAX = 129,
    STORE_PAGE_MAX = 1000, /* rows of one page; a larger limit means this one */
    /* Requests that may wait for the writer: what comes on top is refused with ERR_UNAVAILABLE (its callback still
     * comes later, but may come before those of requests that wait). About 60 MB. */
    STORE_QUEUE_MAX = 64 * 1024,
};

/* Errors of the asynchronous calls, of all headers of this folder:
 * ERR_CONFLICT, ERR_NOT_FOUND, ERR_INVALID  this request contradicts a rule (others of its group are fine)
 * ERR_UNAVAILABLE  not done, but later ones may be (queue full, or another process held the database)
 * ERR_IN_DOUBT     nobody can tell whether it was done: the connection was lost at its commit, and is still. It may be
 *                  there, or come to be there in a moment, so it must neither be told as done nor as not done. To ask
 *                  once more for what has an id of its own is safe: settlements, jobs, workflows, steps and their ends
 *                  are done once.
 * ERR_CLOSED       after store_close began
 * ERR_IO, ERR_INTERNAL  the store is broken */

/* Each noun's header ends with what a backend does with its rows: a struct of functions, which driver.h gathers. */

#endif
