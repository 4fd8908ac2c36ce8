/* The writer: all that waits goes into one transaction of the database. */
#include "base/clock.h"
#include "store/internal.h"
#include "store/sqlite/rows.h"

#include <time.h>

enum {
    STORE_GROUP_INTERVAL_US = 250, /* the shortest time from group to group while the writer is busy */
    STORE_EXPIRE_AT_ONCE = 64,     /* answers that a group deletes beside twice as many as it adds */
};

static bool store_enrol(struct sqlite_db *db, struct store_request *request, bool *wrote, struct err *err) {
    struct store_device known;
    if (!sqlite_device_find(db, request->device.public_key, &known, &request->found, err)) {
        return false;
    }
    if (request->found) {
        request->device = known;
        return true;
    }
    if (!request->token_given) {
        return true;
    }
    bool ok = sqlite_device_enrol(db, request->token_sha256, &request->device, &request->found, err);
    *wrote = ok && request->found;
    return ok;
}

static bool store_request_run(struct store *store, struct store_request *request, bool *wrote, struct err *err) {
    *wrote = false;
    switch (request->kind) {
    case STORE_REQUEST_SETTLE:
        *wrote = sqlite_settle(&store->ledger, &request->settlement, err);
        return *wrote;
    case STORE_REQUEST_ENROL:
        return store_enrol(store->db, request, wrote, err);
    case STORE_REQUEST_KEY:
        return sqlite_key_find(store->db, request->key.sha256, &request->key, &request->found, err);
    case STORE_REQUEST_ADMIN:
        *wrote = sqlite_admin(&store->ledger, &request->admin->admin, &request->admin->result, err);
        return *wrote;
    case STORE_REQUEST_RECORD:
        *wrote = sqlite_record_keep(store->db, request->device.id, &request->device.record, err);
        return *wrote;
    case STORE_REQUEST_REVIEW:
        *wrote = sqlite_review_add(store->db, &request->review, err);
        return *wrote;
    case STORE_REQUEST_TASK_WRITE:
        *wrote = request->task->write(request->task, &store->ledger, err);
        return *wrote;
    case STORE_REQUEST_ANSWER:
    case STORE_REQUEST_USAGE:
    case STORE_REQUEST_PAGE:
    case STORE_REQUEST_EARNINGS:
    case STORE_REQUEST_ADMIN_READ:
    case STORE_REQUEST_TASK_READ:
        break; /* the reader's */
    }
    return err_set(err, ERR_INTERNAL, "unknown kind of request");
}

/* Refused is one request; the others of its group are fine. */
static bool store_is_refusal(const struct err *err) {
    return err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND || err->code == ERR_INVALID;
}

static bool store_group_fill(struct store *store, struct store_list *list, uint64_t *records, struct err *err) {
    int64_t answers = 0;
    if (!ledger_begin(&store->ledger, err)) {
        return false;
    }
    for (struct store_request *request = list->first; request != NULL; request = request->next) {
        bool wrote;
        if (!store_request_run(store, request, &wrote, err)) {
            if (!store_is_refusal(err)) {
                return false;
            }
            store_request_fail(request, err);
        }
        *records += wrote;
        answers += wrote && request->kind == STORE_REQUEST_SETTLE && request->settlement.answer != NULL;
    }
    int64_t now_ms = atomic_load_explicit(&store->now_ms, memory_order_relaxed);
    return (*records == 0 || sqlite_answers_expire(store->db, now_ms, STORE_EXPIRE_AT_ONCE + 2 * answers, err)) &&
           ledger_flush(&store->ledger, err);
}

/* All of the list in one transaction. False: nothing of it was written. */
static bool store_group_run(struct store *store, struct store_list *list, uint64_t *records, struct err *err) {
    if (sqlite_db_moved(store->db)) {
        return err_set(err, ERR_IO, "The database %s was deleted or renamed while in use", store->db->path);
    }
    if (!sqlite_db_begin(store->db, err)) {
        return false;
    }
    if (store_group_fill(store, list, records, err) && sqlite_db_commit(store->db, err)) {
        return true;
    }
    sqlite_db_rollback(store->db);
    ledger_forget(&store->ledger);
    return false;
}

static void store_group(struct store *store, struct store_list *list) {
    struct err err = store->broken;
    uint64_t records = 0;
    if (err.code == ERR_NONE && store_group_run(store, list, &records, &err)) {
        if (records > 0) {
            atomic_fetch_add_explicit(&store->records, records, memory_order_relaxed);
            atomic_fetch_add_explicit(&store->groups, 1, memory_order_relaxed);
        }
        if (store->db->wipe_log) {
            sqlite_db_wipe_log(store->db); /* before anybody is told that it is deleted */
        }
        if (store->ledger.events > 0) {
            store->ledger.events = 0;
            atomic_store_explicit(&store->deliveries_added, true, memory_order_relaxed);
        }
        return;
    }
    /* After a failed write or sync nobody knows what is on the disk, so nothing is ever acknowledged again. A busy
     * database is another matter: nothing was begun. */
    if (store->broken.code == ERR_NONE && err.code != ERR_UNAVAILABLE) {
        store->broken = err;
        list->first->broke = true;
    }
    for (struct store_request *request = list->first; request != NULL; request = request->next) {
        store_request_fail(request, &err);
    }
}

/* A group costs far more than a record in it, and so does waking the writer. So when there is more than a record at a
 * time, the next group gathers for a while; a lone record never waits. An answer waits for its settlement, so the while
 * is short: a disk that syncs more slowly makes it nothing. */
static void store_writer_pace(uint64_t started_us, bool busy) {
    uint64_t spent_us = clock_monotonic_us() - started_us;
    if (busy && spent_us < STORE_GROUP_INTERVAL_US) {
        const struct timespec rest = {.tv_nsec = (long)(STORE_GROUP_INTERVAL_US - spent_us) * 1000};
        nanosleep(&rest, NULL);
    }
}

void store_writer_run(void *argument) {
    struct store *store = (struct store *)argument;
    struct store_list list;
    store_list_init(&list);
    while (store_lane_take(store, &store->writer, &list)) {
        uint64_t started_us = clock_monotonic_us();
        bool busy = list.first->next != NULL;
        store_group(store, &list);
        store_lane_done(store, &list);
        store_writer_pace(started_us, busy);
    }
}
