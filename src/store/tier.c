#include "store/tier.h"

const char *store_tier_name(enum store_tier tier) {
    switch (tier) {
    case STORE_TIER_FREE:
        break;
    case STORE_TIER_STARTER:
        return "starter";
    case STORE_TIER_PRO:
        return "pro";
    case STORE_TIER_UNLIMITED:
        return "unlimited";
    }
    return "free";
}

int store_tier_conversations(enum store_tier tier) {
    switch (tier) {
    case STORE_TIER_FREE:
        return 1000;
    case STORE_TIER_STARTER:
        return 10 * 1000;
    case STORE_TIER_PRO:
        return 100 * 1000;
    case STORE_TIER_UNLIMITED:
        break;
    }
    return 0;
}
