/* The rows of store_webhooks.h and store_deliveries.h; as in sqlite_rows.h. */
#ifndef NATARIS_STORE_SQLITE_WEBHOOKS_H
#define NATARIS_STORE_SQLITE_WEBHOOKS_H

#include "store/deliveries.h"
#include "store/sqlite/ledger.h"

/* sqlite_webhooks.c */
MUST_CHECK bool sqlite_webhook_change(struct ledger *ledger, const struct store_webhook_change *change,
                                      struct store_webhook_result *result, struct err *err);
/* STORE_WEBHOOKS_MAX at most. `id` empty: all; else ERR_NOT_FOUND. */
MUST_CHECK bool sqlite_webhooks_read(struct sqlite_db *db, const char *account_id, const char *id,
                                     struct store_webhook *out, size_t *count, struct err *err);
/* What is stored as text. */
size_t sqlite_amounts_parse(const char *text, int64_t out[STORE_WEBHOOK_AMOUNTS_MAX]);

/* sqlite_events.c. To one webhook only, or (0) to all that want it. `delivery` (may be NULL) is the id of the last. */
struct sqlite_event_target {
    int64_t account_number, webhook;
    bool asked;
};
MUST_CHECK bool sqlite_event_add(struct ledger *ledger, const struct store_event *event,
                                 const struct sqlite_event_target *target, char delivery_id[STORE_ID_MAX],
                                 struct err *err);
MUST_CHECK bool sqlite_delivery_add(struct ledger *ledger, int64_t webhook, int64_t event, bool asked, int64_t now_ms,
                                    char id[STORE_ID_MAX], struct err *err);

/* sqlite_deliveries.c */
MUST_CHECK bool sqlite_delivery_find(struct sqlite_db *db, int64_t webhook, const char *id, struct store_delivery *out,
                                     struct err *err); /* ERR_NOT_FOUND, field "after" */
MUST_CHECK bool sqlite_deliveries_page(struct sqlite_db *db, int64_t webhook, int64_t before, size_t limit,
                                       struct store_delivery *out, size_t *count, struct err *err);
MUST_CHECK bool sqlite_deliveries_due(struct sqlite_db *db, const struct store_due_query *query, struct store_due *out,
                                      struct err *err);
MUST_CHECK bool sqlite_attempt_end(struct ledger *ledger, const struct store_attempt *attempt, struct err *err);
MUST_CHECK bool sqlite_deliveries_purge(struct sqlite_db *db, int64_t before_ms, bool *more, struct err *err);

/* sqlite_alerts.c: balance.low and usage.threshold. After the ledger has settled a job (also one that was free). */
MUST_CHECK bool alerts_settled(struct ledger *ledger, struct ledger_account *account,
                               const struct store_generation *job, struct err *err);
/* The account's webhooks have changed. */
void alerts_forget(struct ledger_account *account);

#endif
