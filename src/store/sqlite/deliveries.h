/* Deliveries: what waits, how attempts ended, and what is too old to keep (store/deliveries.h). */
#ifndef NATARIS_STORE_SQLITE_DELIVERIES_H
#define NATARIS_STORE_SQLITE_DELIVERIES_H

#include "store/deliveries.h"
#include "store/sqlite/ledger.h"

extern const struct store_delivery_rows sqlite_delivery_rows;

/* The sender is told of it once the group is durable. */
MUST_CHECK bool sqlite_delivery_add(struct ledger *ledger, int64_t webhook, int64_t event, bool asked, int64_t now_ms,
                                    char id[STORE_ID_MAX], struct err *err);
MUST_CHECK bool sqlite_delivery_find(struct sqlite_db *db, int64_t webhook, const char *id, struct store_delivery *out,
                                     struct err *err); /* ERR_NOT_FOUND, field "after" */

#endif
