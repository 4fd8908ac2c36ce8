#include "gateway/tiers.h"

void gateway_tiers_init(struct gateway_tier_limits tiers[GATEWAY_TIERS], struct store_quotas *quotas) {
    store_quotas_init(quotas);
    tiers[STORE_TIER_FREE] =
        (struct gateway_tier_limits){.requests_per_minute = 10, .concurrent = 2, .calls_per_minute = 600};
    tiers[STORE_TIER_STARTER] =
        (struct gateway_tier_limits){.requests_per_minute = 60, .concurrent = 5, .calls_per_minute = 1800};
    tiers[STORE_TIER_PRO] =
        (struct gateway_tier_limits){.requests_per_minute = 300, .concurrent = 20, .calls_per_minute = 6000};
    tiers[STORE_TIER_UNLIMITED] = (struct gateway_tier_limits){0};
}
