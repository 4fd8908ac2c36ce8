/* What an account may ask for at once and in a minute, by its tier. */
#ifndef NATARIS_GATEWAY_TIERS_H
#define NATARIS_GATEWAY_TIERS_H

#include "store/accounts.h"
#include "store/quota.h"

#include <stdint.h>

enum { GATEWAY_TIERS = STORE_TIER_UNLIMITED + 1 };

struct gateway_tier_limits {
    uint32_t requests_per_minute, concurrent; /* generations; 0: no limit */
    uint32_t calls_per_minute;                /* requests of any kind; 0: no limit */
};

/* The documented defaults (docs/OPERATING.md). */
void gateway_tiers_init(struct gateway_tier_limits tiers[GATEWAY_TIERS], struct store_quotas *quotas);

#endif
