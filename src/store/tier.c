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
