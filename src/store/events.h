/* Events that webhooks are told of.
 *
 * An event is added in the transaction of what it tells about, together with one delivery for each endpoint that wants
 * it: either all of it is durable or nothing. What waits is found again after a crash; a delivery is made at least
 * once, always with the same webhook-id. So only the store's own tasks add events (struct store_event_rows of
 * driver.h). */
#ifndef NATARIS_STORE_EVENTS_H
#define NATARIS_STORE_EVENTS_H

#include "store/limits.h"

enum store_event_kind {                       /* stored by number */
                        STORE_EVENT_TEST = 0, /* asked for; goes to one endpoint, whatever its filter */
                        STORE_EVENT_JOB_COMPLETED = 1,
                        STORE_EVENT_JOB_FAILED = 2,
                        STORE_EVENT_WORKFLOW_COMPLETED = 3,
                        STORE_EVENT_BALANCE_LOW = 4,     /* found by the settlement itself */
                        STORE_EVENT_USAGE_THRESHOLD = 5, /* likewise */
};
enum { STORE_EVENT_KINDS = 6 };
/* "job.completed" and so on. */
const char *store_event_name(enum store_event_kind kind);
/* False: there is no such event. STORE_EVENT_TEST is none that can be asked for. */
MUST_CHECK bool store_event_kind_of(struct str name, enum store_event_kind *out);

enum { STORE_EVENT_DATA_MAX = 32 * 1024 };

struct store_event {
    const char *account_id;
    enum store_event_kind kind;
    int64_t created_ms; /* wall clock */
    /* A whole JSON object, at most STORE_EVENT_DATA_MAX bytes: the event's `data`. Ids, states, counts and amounts;
     * never a prompt or an answer, which its receiver asks for by id. */
    struct str data;
};

/* From the loop's thread: whether events are kept from now on. Off, those that happen are dropped and counted
 * (store_counts): for when the disk has hardly any room left. */
void store_events_set_off(struct store *store, bool off);

/* --- Of a backend --- */

struct store_event_rows {
    /* The event and its deliveries; nothing when no endpoint of the account wants it. Errors are never a refusal
     * (ERR_INTERNAL, ERR_IO): call it when nothing can be refused any more. */
    bool (*add)(struct store_connection *connection, const struct store_event *event, struct err *err);
};

#endif
