/* What accounts have kept for them, and the quotas of a store. */
#ifndef NATARIS_STORE_KEPT_H
#define NATARIS_STORE_KEPT_H

#include "store/quota.h"

/* Before store_start; copied. Without it the defaults hold. */
void store_set_quotas(struct store *store, const struct store_quotas *quotas);

struct store_kept_report {
    enum store_tier tier;
    struct store_amount kept[STORE_KEPT_KINDS], quota[STORE_KEPT_KINDS];
};
/* ERR_NOT_FOUND: there is no such account. Asynchronous, beside the writer; borrowed for the call. */
void store_kept_read(struct store *store, const char *account_id,
                     void (*told)(void *context, const struct store_kept_report *report, const struct err *err),
                     void *context);

/* --- Of a backend --- */

struct store_quota_rows {
    /* ERR_NOT_FOUND. */
    bool (*kept)(struct store_connection *connection, const char *account_id, struct store_kept_report *out,
                 struct err *err);
};

#endif
