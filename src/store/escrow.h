/* Escrow: what devices earned while something of them is under review. It stays in the ledger as the earner's, but can
 * be neither spent nor paid out until the operator says whose it is (store/admin.h: STORE_ADMIN_ESCROW_*). Nothing is
 * ever forfeited by itself. A settlement may earn into escrow at once (settlements.h). */
#ifndef NATARIS_STORE_ESCROW_H
#define NATARIS_STORE_ESCROW_H

#include "store/limits.h"

/* One step of taking into escrow what a device has earned already, the newest first; as far as it is still there: what
 * was paid out or spent since cannot be taken. */
struct store_escrow_hold {
    char device_id[STORE_ID_MAX];
    int64_t since_ms, now_ms; /* generations that were created since; wall clock */
    int64_t before;           /* where the step before has ended; 0: at the newest */
};
struct store_escrow_held {
    int64_t next;            /* `before` of the next step; 0: there is nothing further */
    uint64_t account_number; /* whose; 0: nothing was taken in this step */
    int64_t paid_nano, given_nano;
};
void store_escrow_hold(struct store *store, const struct store_escrow_hold *step,
                       void (*told)(void *context, const struct store_escrow_held *held, const struct err *err),
                       void *context);

/* What waits, by device and earner. */
struct store_escrow {
    char device_id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    char name[STORE_NAME_MAX]; /* of the device */
    int64_t generations, paid_nano, given_nano;
    int64_t since_ms; /* the first of it waits */
    bool in_review;   /* the device is, so more will come */
};
/* Reads, as those of accounts.h: devices in order of their ids, behind `after`. */
void store_escrow_read(struct store *store, const char *after, unsigned limit,
                       void (*on_result)(void *context, const struct store_escrow *rows, size_t count, bool more,
                                         const struct err *err),
                       void *context);

/* --- Of a backend --- */

struct store_escrow_rows {
    /* Looks at `limit` generations at most. */
    bool (*hold)(struct store_connection *connection, const struct store_escrow_hold *step, size_t limit,
                 struct store_escrow_held *out, struct err *err);
    bool (*page)(struct store_connection *connection, const char *after, size_t limit, struct store_escrow *rows,
                 size_t *count, struct err *err);
};

#endif
