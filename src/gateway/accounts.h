/* Accounts, keys and limits: from the store to the core and auth, with the first request of a key and by the operator's
 * actions. The store is asked first; the core and auth learn what is durable. Who was never here since the start is in
 * the store alone, and what the operator changes about them too. What is known stays until the end: as much memory as
 * there are clients. */
#ifndef NATARIS_GATEWAY_ACCOUNTS_H
#define NATARIS_GATEWAY_ACCOUNTS_H

#include "admin/admin.h"
#include "api/backend.h"
#include "auth/auth.h"
#include "base/compiler.h"
#include "gateway/call_rates.h"
#include "gateway/core_shell.h"
#include "gateway/tiers.h"
#include "store/admin.h"

#include <stdbool.h>

struct accounts {
    struct core_shell *shell; /* borrowed, like the next three */
    struct store *store;
    struct auth *auth;
    struct call_rates *rates;
    struct gateway_tier_limits tiers[GATEWAY_TIERS];
    struct call_rates changes; /* that accounts make of themselves; owned */
};
void accounts_clear(struct accounts *accounts);

/* From now on the core knows each account and key before auth lets a request of theirs in; those of unfinished jobs and
 * workflows it knows at once. Before store_start. */
MUST_CHECK bool accounts_open(struct accounts *accounts, struct err *err);
/* Carries the action out in the store, then tells the core, auth and the links; then `done`. */
void accounts_execute(struct accounts *accounts, const struct store_admin *action, admin_done *done,
                      void *done_context);
/* Likewise: the account's owner takes the device out, for good. */
void accounts_remove_device(struct accounts *accounts, const char *account_id, const char *device_id, admin_done *done,
                            void *done_context);
/* What accounts change of themselves, for the API; borrows it. Each change is a line of the audit log. */
struct api_accounts accounts_for_api(struct accounts *accounts);

#endif
