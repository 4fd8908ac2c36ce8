#include "store/writer.h"

#include "base/clock.h"
#include "store/commit.h"

#include <time.h>

enum { WRITER_GROUP_INTERVAL_US = 250 }; /* the shortest time from group to group while the writer is busy */

void store_writer_tell_time(struct store_writer *writer, int64_t now_ms) {
    if (now_ms > atomic_load_explicit(&writer->now_ms, memory_order_relaxed)) { /* only the loop's thread writes it */
        atomic_store_explicit(&writer->now_ms, now_ms, memory_order_relaxed);
    }
}

/* Refused is one request; the others of its group are fine. */
static bool is_refusal(const struct err *err) {
    return err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;
}

static bool group_fill(struct store_writer *writer, struct store_list *list, uint64_t *records, struct err *err) {
    for (struct store_task *task = list->first; task != NULL; task = task->next) {
        if (task->kind->write(task, writer->connection, err)) {
            *records += !task->idle;
        } else if (is_refusal(err)) {
            store_task_fail(task, err);
        } else {
            return false;
        }
    }
    const int64_t now_ms = atomic_load_explicit(&writer->now_ms, memory_order_relaxed);
    return *records == 0 || writer->connection->driver->flush(writer->connection, now_ms, err);
}

static bool group_pause(void *context, uint32_t pause_ms) {
    struct store_writer *writer = context;
    return store_lane_pause(writer->lanes, STORE_LANE_WRITER, pause_ms);
}

/* All of the list in one transaction. */
static enum store_commit group_run(struct store_writer *writer, struct store_list *list, uint64_t *records,
                                   struct err *err) {
    const struct store_driver *driver = writer->connection->driver;
    const struct store_patience patience = {writer->patience_ms, group_pause, writer};
    if (!driver->begin(writer->connection, err)) {
        return STORE_COMMIT_NOT_DONE;
    }
    if (group_fill(writer, list, records, err)) {
        return store_commit(writer->connection, &patience, err);
    }
    driver->rollback(writer->connection);
    return STORE_COMMIT_NOT_DONE;
}

static void group_done(struct store_writer *writer, uint64_t records) {
    if (records > 0) {
        atomic_fetch_add_explicit(&writer->records, records, memory_order_relaxed);
        atomic_fetch_add_explicit(&writer->groups, 1, memory_order_relaxed);
    }
    if (writer->connection->deliveries_added) {
        writer->connection->deliveries_added = false;
        atomic_store_explicit(&writer->deliveries_added, true, memory_order_relaxed);
    }
    if (writer->connection->deliveries_dropped > 0) {
        atomic_fetch_add_explicit(&writer->deliveries_dropped, writer->connection->deliveries_dropped,
                                  memory_order_relaxed);
        writer->connection->deliveries_dropped = 0;
    }
}

/* What has only looked has found what it has found, unless the store is broken. Of the others even a refusal is not
 * sure when the group is in doubt: it may have been for what stood before it in the group. */
static void group_fail(struct store_list *list, const struct err *err) {
    for (struct store_task *task = list->first; task != NULL; task = task->next) {
        if (err->code != ERR_IN_DOUBT || !task->idle) {
            store_task_fail(task, err);
        }
    }
}

static void group(struct store_writer *writer, struct store_list *list) {
    struct err err = writer->broken;
    enum store_commit outcome = STORE_COMMIT_NOT_DONE;
    uint64_t records = 0;
    if (err.code == ERR_NONE) {
        outcome = group_run(writer, list, &records, &err);
    }
    switch (outcome) {
    case STORE_COMMIT_DONE:
        group_done(writer, records);
        return;
    case STORE_COMMIT_NOT_DONE:
        /* After a failed write or sync nobody knows what is on the disk, so nothing is ever acknowledged again. A busy
         * database is another matter: nothing was begun. */
        if (writer->broken.code == ERR_NONE && err.code != ERR_UNAVAILABLE) {
            writer->broken = err;
            list->first->broke = true;
        }
        break;
    case STORE_COMMIT_IN_DOUBT:
        break;
    }
    group_fail(list, &err);
}

/* A group costs far more than a record in it, and so does waking the writer. So when there is more than a record at a
 * time, the next group gathers for a while; a lone record never waits. An answer waits for its settlement, so the while
 * is short: a disk that syncs more slowly makes it nothing. */
static void pace(uint64_t started_us, bool busy) {
    const uint64_t spent_us = clock_monotonic_us() - started_us;
    if (busy && spent_us < WRITER_GROUP_INTERVAL_US) {
        const struct timespec rest = {.tv_nsec = (long)(WRITER_GROUP_INTERVAL_US - spent_us) * 1000};
        nanosleep(&rest, NULL);
    }
}

void store_writer_run(void *argument) {
    struct store_writer *writer = argument;
    struct store_list list;
    while (store_lane_take(writer->lanes, STORE_LANE_WRITER, &list)) {
        const uint64_t started_us = clock_monotonic_us();
        const bool busy = list.first->next != NULL;
        group(writer, &list);
        store_lane_done(writer->lanes, &list);
        pace(started_us, busy);
    }
}
