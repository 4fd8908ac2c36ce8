#include "store/store.h"

#include "base/mem.h"
#include "store/owed.h"
#include "store/state.h"

#include <assert.h>
#include <stdlib.h>

enum { STORE_PATIENCE_MS = 30 * 1000 };

struct store *store_over(struct store_connection *connection, const struct store_options *options) {
    struct store *store = MEM_NEW(struct store);
    store->connection = connection;
    store->hold_days = STORE_HOLD_DAYS;
    store_quotas_init(&store->quotas);
    connection->quotas = &store->quotas;
    connection->events_off = &store->events_off;
    store_lanes_init(&store->lanes);
    store->writer.lanes = &store->lanes;
    store->writer.connection = connection;
    store->writer.patience_ms = options->patience_ms != 0 ? options->patience_ms : STORE_PATIENCE_MS;
    store->reader = (struct store_reader){.lanes = &store->lanes, .writer = connection, .lane = STORE_LANE_READER};
    store->lister = (struct store_reader){.lanes = &store->lanes, .writer = connection, .lane = STORE_LANE_LISTER};
    return store;
}

bool store_open(struct store **out, const struct store_driver *driver, const char *place, struct err *err) {
    struct store_connection *connection;
    *out = NULL;
    if (!driver->open(&connection, place, err)) {
        return false;
    }
    *out = store_over(connection, &(struct store_options){0});
    return true;
}

static void task_end(struct store_task *task) {
    free(task->err);
    if (task->kind->free != NULL) {
        task->kind->free(task);
    } else {
        free(task);
    }
}

/* Calls the callbacks of all that is done; they may ask for more. */
static void store_deliver(struct store *store) {
    struct store_list done;
    store_lanes_collect(&store->lanes, &done);
    for (struct store_task *task = done.first, *next; task != NULL; task = next) {
        const enum store_lane_id lane = store_lane_of(task);
        next = task->next;
        if (task->broke && store->on_broken != NULL) {
            store->on_broken(store->on_broken_context, task->err);
        }
        if (task->kind->answer != NULL) {
            task->kind->answer(task, task->err);
        }
        task_end(task);
        store_lanes_answered(&store->lanes, lane);
    }
    if (atomic_exchange_explicit(&store->writer.deliveries_added, false, memory_order_relaxed)) {
        store_tell_deliveries(store, 0);
    }
}

static void on_done(uv_async_t *wake) {
    store_deliver(wake->data);
}

bool store_start(struct store *store, uv_loop_t *loop, void (*on_broken)(void *context, const struct err *err),
                 void *context, struct err *err) {
    const struct store_thread threads[STORE_LANES] = {
        [STORE_LANE_WRITER] = {store_writer_run, &store->writer},
        [STORE_LANE_READER] = {store_reader_run, &store->reader},
        [STORE_LANE_LISTER] = {store_reader_run, &store->lister},
    };
    assert(!store->started);
    store->connection->driver->serve(store->connection);
    store->on_broken = on_broken;
    store->on_broken_context = context;
    store->started = store_lanes_start(&store->lanes, loop, on_done, store, threads, err);
    return store->started;
}

static void store_stop(struct store *store) {
    store->lanes.closed = true;
    store_lanes_stop(&store->lanes);
    while (store->lanes.outstanding > 0) { /* again when a callback asked for more: that is refused */
        store_deliver(store);
    }
    store_lanes_clear(&store->lanes);
}

void store_close(struct store *store) {
    if (store == NULL) {
        return;
    }
    if (store->started) {
        store_stop(store);
    }
    store->connection->driver->close(store->connection);
    free(store);
}

struct store_counts store_counts(const struct store *store) {
    return (struct store_counts){
        .groups = atomic_load_explicit(&store->writer.groups, memory_order_relaxed),
        .records = atomic_load_explicit(&store->writer.records, memory_order_relaxed),
        .deliveries_dropped = atomic_load_explicit(&store->writer.deliveries_dropped, memory_order_relaxed),
    };
}

bool store_setting_get(struct store *store, const char *name, char *out, size_t out_size, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->settings->get(connection, name, out, out_size, err);
}

bool store_setting_set(struct store *store, const char *name, const char *value, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->settings->set(connection, name, value, err);
}
