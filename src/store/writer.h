/* The writer's thread: all that waits goes into one transaction of the database. */
#ifndef NATARIS_STORE_WRITER_H
#define NATARIS_STORE_WRITER_H

#include "store/driver.h"
#include "store/lane.h"

#include <stdatomic.h>

struct store_writer {
    struct store_lanes *lanes;           /* borrowed, as the next */
    struct store_connection *connection; /* the thread's once it runs */
    uint32_t patience_ms;                /* for a commit in doubt */
    struct err broken;                   /* the thread's; ERR_NONE until a write failed for good */
    _Atomic int64_t now_ms;              /* the latest time that a request has told: what expires, expires by it */
    _Atomic uint64_t groups, records;
    _Atomic uint64_t deliveries_dropped;
    _Atomic bool deliveries_added; /* and nobody was told yet */
};
/* From the loop's thread: the time of day, as somebody knows it. */
void store_writer_tell_time(struct store_writer *writer, int64_t now_ms);
/* The body of the thread; `argument` is the struct. */
void store_writer_run(void *argument);

#endif
