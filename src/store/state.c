#include "store/state.h"

#include <assert.h>

struct store_connection *store_connection_of(struct store *store) {
    assert(!store->started);
    return store->connection;
}

void store_tell_deliveries(struct store *store, int64_t webhook) {
    if (store->on_deliveries != NULL) {
        store->on_deliveries(store->on_deliveries_context, webhook);
    }
}
