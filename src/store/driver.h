/* What lies below the store: a backend, as a table of functions. SQLite's is sqlite_driver (sqlite/driver.h); whoever
 * opens a store names one, and nothing else in this folder knows which it is.
 *
 * Threads: a connection belongs to one thread at a time; the writing one to whoever opened the store, then to the
 * writer's thread. Only open_reader is called on another thread than that of the connection it is given.
 *
 * Row functions give true, or false with an error. ERR_CONFLICT, ERR_NOT_FOUND and ERR_INVALID are refusals: nothing
 * was written, and the transaction goes on. After anything else it is rolled back. What is said to be on the heap is
 * the caller's, also when the function fails, unless said otherwise. A backend across a network may keep what a group
 * writes until `flush` and send it at once, as long as each refusal is told by the function that it belongs to.
 *
 * A step that is settled is paid: settling a generation of STORE_PURPOSE_STEP adds it to its step and workflow. */
#ifndef NATARIS_STORE_DRIVER_H
#define NATARIS_STORE_DRIVER_H

#include "store/limits.h"

/* Stands first in the backend's own struct. */
struct store_connection {
    const struct store_driver *driver;
    const struct store_quotas *quotas; /* the store's (quota.h); NULL: none hold */
    const _Atomic bool *events_off;    /* the store's: no event is kept now; NULL: each is */
    bool deliveries_added;             /* by what was written; whoever tells the sender clears it */
    uint32_t deliveries_dropped;       /* likewise: those for which there was no room */
};

enum store_commit {
    STORE_COMMIT_DONE,     /* it is durable */
    STORE_COMMIT_NOT_DONE, /* nothing of it is there, or ever will be */
    STORE_COMMIT_IN_DOUBT, /* the connection was lost before the answer came, or it came with a warning */
};

struct store_setting_rows {
    bool (*get)(struct store_connection *connection, const char *name, char *out, size_t out_size,
                struct err *err); /* ERR_NOT_FOUND */
    bool (*set)(struct store_connection *connection, const char *name, const char *value, struct err *err);
};

struct store_driver {
    const char *name;

    /* Opens or creates what lies at `place`, and brings it to the newest schema. Errors as of store_open. */
    bool (*open)(struct store_connection **out, const char *place, struct err *err);
    /* A second connection, to read what `writer` has committed. */
    bool (*open_reader)(struct store_connection **out, const struct store_connection *writer, struct err *err);
    void (*close)(struct store_connection *connection);
    /* Before the first group: a crash may have left something to clean up after the next commit. */
    void (*serve)(struct store_connection *connection);

    /* A group: begin, what it writes, flush when it has written anything, commit. Begin and flush tell ERR_UNAVAILABLE
     * when nothing was done but may be later. */
    bool (*begin)(struct store_connection *connection, struct err *err);
    bool (*flush)(struct store_connection *connection, int64_t now_ms, struct err *err); /* answers expire by now_ms */
    /* NOT_DONE: rolled back. */
    enum store_commit (*commit)(struct store_connection *connection, struct err *err);
    /* After IN_DOUBT: connects again and looks whether the group is there. IN_DOUBT: it cannot be told now; asked again
     * later, or rolled back. A driver whose commit is never in doubt is never asked. */
    enum store_commit (*resolve)(struct store_connection *connection, struct err *err);
    void (*rollback)(struct store_connection *connection);
    /* On a reading connection: what is read in between is of one state. */
    bool (*begin_read)(struct store_connection *connection, struct err *err);
    void (*end_read)(struct store_connection *connection);

    /* By noun: each is declared in the header of that name. */
    const struct store_setting_rows *settings;
    const struct store_account_rows *accounts;
    const struct store_device_rows *devices;
    const struct store_enrolment_rows *enrolment;
    const struct store_generation_rows *generations;
    const struct store_usage_rows *usage;
    const struct store_owed_rows *owed;
    const struct store_settlement_rows *settlements;
    const struct store_escrow_rows *escrow;
    const struct store_receipt_rows *receipts;
    const struct store_answer_rows *answers;
    const struct store_quota_rows *quotas;
    const struct store_admin_rows *admin;
    const struct store_ledger_rows *ledger;
    const struct store_conversation_rows *conversations;
    const struct store_turn_rows *turns;
    const struct store_job_rows *jobs;
    const struct store_event_rows *events;
    const struct store_webhook_rows *webhooks;
    const struct store_delivery_rows *deliveries;
    const struct store_workflow_rows *workflows;
};

#endif
