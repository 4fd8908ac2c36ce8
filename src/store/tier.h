/* What an account may do at once, and how often: the limits themselves are the core's. */
#ifndef NATARIS_STORE_TIER_H
#define NATARIS_STORE_TIER_H

enum store_tier { /* stored by number */
                  STORE_TIER_FREE = 0,
                  STORE_TIER_STARTER = 1,
                  STORE_TIER_PRO = 2,
                  STORE_TIER_UNLIMITED = 3,
};
enum { STORE_TIERS = 4 };
const char *store_tier_name(enum store_tier tier); /* "free", ... */

#endif
