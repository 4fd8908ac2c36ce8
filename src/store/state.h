/* What a store consists of, for the files of this folder. */
#ifndef NATARIS_STORE_STATE_H
#define NATARIS_STORE_STATE_H

#include "store/quota.h"
#include "store/reader.h"
#include "store/writer.h"

struct store {
    struct store_connection *connection; /* owned; the writer's once it runs */
    bool started;
    uint32_t hold_days; /* usage.h */
    struct store_quotas quotas;
    _Atomic bool events_off; /* events.h */
    struct store_lanes lanes;
    struct store_writer writer;
    struct store_reader reader, lister;
    void (*on_broken)(void *context, const struct err *err);
    void *on_broken_context;
    void (*on_deliveries)(void *context, int64_t webhook); /* deliveries.h; NULL: nobody watches */
    void *on_deliveries_context;
};

/* For synchronous calls: the connection while it is still the caller's. */
struct store_connection *store_connection_of(struct store *store);
/* On the loop's thread, who watches deliveries (deliveries.h): some were added (webhook 0), or that one has changed. */
void store_tell_deliveries(struct store *store, int64_t webhook);

#endif
