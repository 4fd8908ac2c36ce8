/* What happened, and to whom it is told (store/events.h). */
#ifndef NATARIS_STORE_SQLITE_EVENTS_H
#define NATARIS_STORE_SQLITE_EVENTS_H

#include "store/events.h"
#include "store/sqlite/ledger.h"

extern const struct store_event_rows sqlite_event_rows;

/* To one webhook only, or (0) to all that want it. `delivery` (may be NULL) is the id of the last. */
struct sqlite_event_target {
    int64_t account_number, webhook;
    bool asked;
};
MUST_CHECK bool sqlite_event_add(struct ledger *ledger, const struct store_event *event,
                                 const struct sqlite_event_target *target, char delivery_id[STORE_ID_MAX],
                                 struct err *err);

#endif
