/* Settlements: the end of a generation in one transaction, which is its record, its entries in the ledger (ledger.h),
 * its stored answer, and what it does to its conversation. Holds live in the core only: a gateway that dies has charged
 * nothing that is not committed. */
#ifndef NATARIS_STORE_SETTLEMENTS_H
#define NATARIS_STORE_SETTLEMENTS_H

#include "store/answers.h"
#include "store/generations.h"
#include "wire/receipt.h"

/* What one of several devices did of an answer. */
struct store_part {
    char device_id[STORE_ID_MAX], account_id[STORE_ID_MAX]; /* of the device and its owner */
    uint32_t tokens;                                        /* completion tokens */
    int64_t amount_nano, given_nano;                        /* what its owner earns; of it, given credit */
    bool escrow;                                            /* it waits for the operator's word (escrow.h) */
};
enum { STORE_PARTS_MAX = 64 };

struct store_turn;
struct store_settlement { /* also of a generation that was free: then there are no entries, but its record and answer */
    struct store_generation generation;     /* with charge_nano, provider_nano and what of them is given set */
    char provider_account_id[STORE_ID_MAX]; /* empty: no device earns (charge 0) */
    bool escrow;                            /* as of a part, when there are none */
    const struct store_answer *answer;      /* NULL: none to keep; copied */
    /* What it does to a conversation (turns.h); NULL: nothing; copied. The answer goes when that goes, and is not kept
     * when it is gone already. */
    const struct store_turn *turn;
    /* Of an answer that several devices made, one after the other: what each did. Tokens and amounts add up to the
     * generation's completion tokens and provider_nano; the prompt's tokens count for the last. Fewer than two: the
     * record says it all, and provider_account_id earns. Copied. */
    const struct store_part *parts;
    size_t part_count;
    /* Its receipt (receipts.h), copied; empty: none. */
    struct str receipt;
    uint8_t receipt_salt[RECEIPT_SALT_SIZE];
};
/* on_durable (may be NULL) with err NULL once it is on disk. ERR_CONFLICT, and nothing was written: its account, key or
 * an earner is unknown; its parts do not add up; a generation of this id was settled before; the charge is more than
 * the wallets have, or that of a failure; the conversation has gone on since its turn began; the answer's scope holds
 * one that had not expired when the generation was created, and it does not replace it. */
void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context);

/* --- Of a backend --- */

struct store_settlement_rows {
    bool (*settle)(struct store_connection *connection, const struct store_settlement *settlement, struct err *err);
};

#endif
