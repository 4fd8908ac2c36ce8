/* The counters of models (engine/counter.h) whose files are on this machine: a child for each of the few that are asked
 * for, opened with the first question. */
#ifndef NATARIS_GATEWAY_COUNTERS_H
#define NATARIS_GATEWAY_COUNTERS_H

#include "base/file.h"
#include "call/calls.h"
#include "net/loop.h"

enum {
    COUNTERS_MAX = 4,             /* children at once; the one that was asked longest ago makes room */
    COUNTERS_LOOK_MS = 60 * 1000, /* so long a file that was not there is not looked for again */
    COUNTERS_MISSING_MAX = 64,    /* models that are known to have none */
};

/* Where the file of a model is that may be opened; false: nowhere here. Looks at names only. */
typedef bool counters_find(void *context, struct str model, char out[FILE_PATH_MAX]);

struct counters;
/* `find` NULL: there are no files, and no counters. */
struct counters *counters_new(struct loop *loop, counters_find *find, void *context);
/* `on_closed` comes when no child is left; it is freed then. Until then there are no answers but none. */
void counters_close(struct counters *counters, void (*on_closed)(void *context), void *context);
void counters_free(struct counters *counters); /* of which none was opened; NULL is fine */
/* For calls; borrows the counters. */
struct call_counter counters_of_calls(struct counters *counters);

#endif
