/* What each account has of all posts under way: none has so many that the webhooks of others would wait for its own,
 * however slowly these answer. */
#ifndef NATARIS_WEBHOOK_SHARES_H
#define NATARIS_WEBHOOK_SHARES_H

#include <stdbool.h>
#include <stdint.h>

enum { WEBHOOK_SHARE_PART = 4 /* of all posts at once, what one account may have */ };

struct webhook_share;
struct webhook_shares {             /* zeroed: nobody has any */
    struct webhook_share *accounts; /* uthash, owned: those that have had some */
};
void webhook_shares_clear(struct webhook_shares *shares);
/* Whether the account may have one more of so many at once. */
bool webhook_shares_has_room(const struct webhook_shares *shares, int64_t account, unsigned all_max);
/* So many more, or less. */
void webhook_shares_add(struct webhook_shares *shares, int64_t account, int running);

#endif
