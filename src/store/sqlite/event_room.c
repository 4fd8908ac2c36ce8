#include "store/sqlite/event_room.h"

#include "base/log.h"
#include "store/quota.h"
#include "store/sqlite/quotas.h"

#include <stdatomic.h>

enum {
    ROOM_ROWS = 64,   /* deliveries that go at once */
    ROOM_ROUNDS = 8,  /* of a new event: what a quota that was made smaller is past goes by and by */
    WAITING_PART = 2, /* of the quota's rows: what one webhook may have waiting, so that the others get theirs */
    DROPPED_LOG_MS = 60 * 60 * 1000,
};

static bool ended_delete(struct sqlite_db *db, int64_t account_number, bool *any, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_DELIVERY_DELETE_ENDED);
    sqlite_bind_int(&binder, account_number);
    sqlite_bind_int(&binder, ROOM_ROWS);
    const bool ok = sqlite_run(db, SQL_DELIVERY_DELETE_ENDED, err);
    *any = ok && sqlite_changes(db) > 0;
    return ok;
}

static bool fail(struct err *err, const struct err *with) {
    if (err != NULL) {
        *err = *with;
    }
    return false;
}

/* `room` false: also without all that has ended it is too much; `past` says of what. */
static bool quota_room(struct sqlite_db *db, int64_t account_number, const struct store_amount *more, bool *room,
                       struct err *past, struct err *err) {
    bool any = true;
    for (int round = 0;; round++) {
        *room = sqlite_quota_check(db, account_number, STORE_KEPT_DELIVERIES, more, past);
        if (*room || !store_quota_is_past(past)) {
            return *room || fail(err, past);
        }
        if (round == ROOM_ROUNDS || !any) {
            return true;
        }
        if (!ended_delete(db, account_number, &any, err)) {
            return false;
        }
    }
}

static bool webhook_drop(struct sqlite_db *db, const struct sqlite_event_targets *targets, size_t i, int64_t now_ms,
                         const char *why, struct err *err) {
    if (now_ms - targets->webhooks[i].dropped_ms >= DROPPED_LOG_MS) {
        LOG_WARN_EVENT("webhooks.dropped", LOG_INT("account", targets->account_number),
                       LOG_INT("webhook", targets->webhooks[i].number), LOG_TEXT("because", why));
    }
    db->connection.deliveries_dropped++;
    struct sqlite_binder binder = sqlite_bind(db, SQL_WEBHOOK_DROPPED);
    sqlite_bind_int(&binder, now_ms);
    sqlite_bind_int(&binder, targets->webhooks[i].number);
    return sqlite_run(db, SQL_WEBHOOK_DROPPED, err);
}

static bool drop_all(struct sqlite_db *db, struct sqlite_event_targets *targets, int64_t now_ms, const char *why,
                     struct err *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < targets->count; i++) {
        ok = webhook_drop(db, targets, i, now_ms, why, err);
    }
    targets->count = 0;
    return ok;
}

/* Those go of which too many wait. */
static bool waiting_room(struct sqlite_db *db, struct sqlite_event_targets *targets, int64_t rows_max, int64_t now_ms,
                         struct err *err) {
    const int64_t most = rows_max / WAITING_PART > 0 ? rows_max / WAITING_PART : 1;
    size_t kept = 0;
    bool ok = true;
    for (size_t i = 0; ok && i < targets->count; i++) {
        if (rows_max > 0 && targets->webhooks[i].waiting >= most) {
            ok = webhook_drop(db, targets, i, now_ms, "too many deliveries of it wait", err);
        } else {
            targets->webhooks[kept++] = targets->webhooks[i];
        }
    }
    targets->count = kept;
    return ok;
}

bool sqlite_event_room(struct sqlite_db *db, struct sqlite_event_targets *targets, size_t bytes, int64_t now_ms,
                       struct err *err) {
    struct err past = {0};
    int64_t rows_max = 0;
    bool room = true;
    if (targets->asked) { /* a request of its own, which the disk's floor refuses before */
        const struct store_amount one = {.rows = 1, .bytes = (int64_t)bytes};
        return quota_room(db, targets->account_number, &one, &room, &past, err) && (room || fail(err, &past));
    }
    if (db->connection.events_off != NULL && atomic_load_explicit(db->connection.events_off, memory_order_relaxed)) {
        return drop_all(db, targets, now_ms, "the disk is nearly full", err);
    }
    if (!sqlite_quota_rows_max(db, targets->account_number, STORE_KEPT_DELIVERIES, &rows_max, err) ||
        !waiting_room(db, targets, rows_max, now_ms, err)) {
        return false;
    }
    if (targets->count == 0) {
        return true;
    }
    const struct store_amount more = {.rows = (int64_t)targets->count, .bytes = (int64_t)bytes};
    return quota_room(db, targets->account_number, &more, &room, &past, err) &&
           (room || drop_all(db, targets, now_ms, "its account has too many deliveries", err));
}
