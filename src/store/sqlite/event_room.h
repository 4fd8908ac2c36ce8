/* Room for a new event: by its account's quota of deliveries (store/quota.h), by what each of its webhooks has waiting,
 * and by the disk. What has ended longest makes room; what finds none all the same is dropped, and counted. */
#ifndef NATARIS_STORE_SQLITE_EVENT_ROOM_H
#define NATARIS_STORE_SQLITE_EVENT_ROOM_H

#include "store/sqlite/ledger.h"
#include "store/webhooks.h"

struct sqlite_event_targets { /* webhooks that are to be told */
    int64_t account_number;
    bool asked; /* by the account: then no room is ERR_CONFLICT about "quota" */
    size_t count;
    struct {
        int64_t number, waiting, dropped_ms;
    } webhooks[STORE_WEBHOOKS_MAX];
};

/* Leaves those for which an event with so many bytes can be kept. */
MUST_CHECK bool sqlite_event_room(struct sqlite_db *db, struct sqlite_event_targets *targets, size_t bytes,
                                  int64_t now_ms, struct err *err);

#endif
