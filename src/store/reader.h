/* A reader's thread: questions, answered beside the writer on a connection of its own. It sees what was committed when
 * it begins and never makes the writer wait. There are two, so that what may take long (struct store_task_kind, `list`)
 * never makes a short question wait. */
#ifndef NATARIS_STORE_READER_H
#define NATARIS_STORE_READER_H

#include "store/driver.h"
#include "store/lane.h"

struct store_reader {
    struct store_lanes *lanes;             /* borrowed, as the next */
    const struct store_connection *writer; /* says where the database is */
    enum store_lane_id lane;               /* whose questions it answers */
};
/* The body of the thread; `argument` is the struct. */
void store_reader_run(void *argument);

#endif
