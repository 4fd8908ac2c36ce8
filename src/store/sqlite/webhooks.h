/* Endpoints of webhooks, and what their accounts do with them (store/webhooks.h). */
#ifndef NATARIS_STORE_SQLITE_WEBHOOKS_H
#define NATARIS_STORE_SQLITE_WEBHOOKS_H

#include "store/sqlite/ledger.h"
#include "store/webhooks.h"

extern const struct store_webhook_rows sqlite_webhook_rows;

/* Amounts, which are stored as text. */
size_t sqlite_amounts_parse(const char *text, int64_t out[STORE_WEBHOOK_AMOUNTS_MAX]);

#endif
