/* The signed heads of days of the chain of receipts, as they were told: whoever asks once more gets the same one, since
 * signing costs several times what all else of such a request does, and anybody may ask. A head is signed when it is
 * another than the one before of its day, and of a day at most once in RECEIPT_HEADS_FRESH_MS. */
#ifndef NATARIS_API_RECEIPT_HEADS_H
#define NATARIS_API_RECEIPT_HEADS_H

#include "wire/receipt_file.h"

#include <stddef.h>
#include <stdint.h>

enum {
    RECEIPT_HEADS_FRESH_MS = 1000, /* one that is not older is told without a look into the store */
    RECEIPT_HEADS_MAX = 4096,      /* days: of more, the oldest go */
};

struct receipt_heads_day;
struct receipt_heads {              /* zeroed: none */
    struct receipt_heads_day *days; /* owned; in their order */
    size_t count;
    int64_t newest; /* the day that was the newest when it was looked for; good until then: */
    uint64_t newest_until_ms;
    uint64_t signatures; /* that were made */
};
void receipt_heads_clear(struct receipt_heads *heads);

/* Of a day, or of STORE_RECEIPTS_NEWEST; NULL: the store must be asked. Borrowed until the next call. */
const struct receipt_head_file *receipt_heads_find(const struct receipt_heads *heads, int64_t day, uint64_t now_ms);
/* What the store has of the day that was `asked` for, signed with this key (private, Ed25519). */
const struct receipt_head_file *receipt_heads_take(struct receipt_heads *heads, const uint8_t key[ED25519_KEY_SIZE],
                                                   int64_t asked, const struct receipt_head *head, uint64_t now_ms);

#endif
