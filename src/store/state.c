#include "store/state.h"

#include <assert.h>

struct store_connection *store_connection_of(struct store *store) {
    assert(!store->started);
    return store->connection;
}
