#include "gateway/tiers.h"

void gateway_tiers_init(struct gateway_tier_limits tiers[GATEWAY_TIERS]) {
    tiers[STORE_TIER_FREE] = (struct gateway_tier_limits){.requests_per_minute = 10, .concurrent = 2};
    tiers[STORE_TIER_STARTER] = (struct gateway_tier_limits){.requests_per_minute = 60, .concurrent = 5};
    tiers[STORE_TIER_PRO] = (struct gateway_tier_limits){.requests_per_minute = 300, .concurrent = 20};
    tiers[STORE_TIER_UNLIMITED] = (struct gateway_tier_limits){0};
}
