/* Accounts, keys and limits: from the store to the core and auth, at the start and by the operator's actions. The store
 * is asked first; the core and auth learn what is durable. */
#ifndef NATARIS_GATEWAY_ACCOUNTS_H
#define NATARIS_GATEWAY_ACCOUNTS_H

#include "admin/admin.h"
#include "auth/auth.h"
#include "base/compiler.h"
#include "gateway/core_shell.h"
#include "gateway/tiers.h"
#include "store/admin.h"

#include <stdbool.h>

struct accounts {
    struct core_shell *shell; /* borrowed, like the next two */
    struct store *store;
    struct auth *auth;
    struct gateway_tier_limits tiers[GATEWAY_TIERS];
};

/* Tells the core of every account and key that there is; before store_start. */
MUST_CHECK bool accounts_load(struct accounts *accounts, struct err *err);
/* Carries the action out in the store, then tells the core, auth and the links; then `done`. */
void accounts_execute(struct accounts *accounts, const struct store_admin *action, admin_done *done,
                      void *done_context);

#endif
