/* Quotas: how much an account may have kept for it, by its tier, in rows and in bytes. What is kept is summed up with
 * the rows themselves, in the same transaction (sqlite/0022_kept.sql, 0025_deliveries.sql), so that nobody ever counts
 * them.
 *
 * A quota is looked at where something new begins: a conversation or a call on one, a job, a workflow, a request whose
 * answer is to be kept. What has begun may end, so an account is past its bytes by what it had under way at most; a
 * workflow that goes on beyond twice its quota is stopped. Past a quota is ERR_CONFLICT about "quota". Of deliveries
 * those that have ended longest make room for new ones; where that is not enough the new ones are dropped. */
#ifndef NATARIS_STORE_QUOTA_H
#define NATARIS_STORE_QUOTA_H

#include "store/limits.h"
#include "store/tier.h"

enum store_kept { /* stored by number */
                  STORE_KEPT_CONVERSATIONS = 0,
                  STORE_KEPT_JOBS = 1,
                  STORE_KEPT_WORKFLOWS = 2,
                  STORE_KEPT_ANSWERS = 3,
                  STORE_KEPT_DELIVERIES = 4, /* of webhooks, with their events */
};
enum { STORE_KEPT_KINDS = 5 };

struct store_amount {
    int64_t rows, bytes; /* of a quota, 0: no limit */
};
struct store_quotas {
    struct store_amount of[STORE_TIERS][STORE_KEPT_KINDS];
};
/* The documented defaults (docs/OPERATING.md). */
void store_quotas_init(struct store_quotas *quotas);
const char *store_kept_name(enum store_kept kind); /* "conversations", ... */
/* False: `err` says which quota `kept` and `more` together are past, and what to do. */
MUST_CHECK bool store_quota_check(const struct store_quotas *quotas, enum store_tier tier, enum store_kept kind,
                                  const struct store_amount *kept, const struct store_amount *more, struct err *err);
bool store_quota_is_past(const struct err *err); /* such an error */

#endif
