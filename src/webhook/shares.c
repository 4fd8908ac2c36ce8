#include "webhook/shares.h"

#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>

struct webhook_share {
    int64_t number; /* of the account */
    unsigned running;
    UT_hash_handle hh;
};

static struct webhook_share *find(const struct webhook_shares *shares, int64_t account) {
    struct webhook_share *found;
    HASH_FIND(hh, shares->accounts, &account, sizeof(account), found);
    return found;
}

void webhook_shares_clear(struct webhook_shares *shares) {
    struct webhook_share *share = shares->accounts;
    HASH_CLEAR(hh, shares->accounts); /* its items are still linked */
    while (share != NULL) {
        struct webhook_share *next = share->hh.next;
        free(share);
        share = next;
    }
}

bool webhook_shares_has_room(const struct webhook_shares *shares, int64_t account, unsigned all_max) {
    const struct webhook_share *share = find(shares, account);
    return share == NULL || share->running < all_max / WEBHOOK_SHARE_PART;
}

void webhook_shares_add(struct webhook_shares *shares, int64_t account, int running) {
    struct webhook_share *share = find(shares, account);
    if (share == NULL) {
        share = MEM_NEW(struct webhook_share);
        share->number = account;
        HASH_ADD(hh, shares->accounts, number, sizeof(share->number), share);
    }
    share->running += (unsigned)running;
}
