/* The rows of store/receipts.h: what a settlement adds to the chain, and the proof of it. */
#ifndef NATARIS_STORE_SQLITE_RECEIPTS_H
#define NATARIS_STORE_SQLITE_RECEIPTS_H

#include "store/receipts.h"
#include "store/sqlite/db.h"

/* Where the chain ends: read once, then kept beside the ledger's balances. */
struct receipt_chain {
    bool known, changed; /* the day's row has to be written */
    int64_t day_number;  /* 0: there is none yet */
    int64_t first_generation;
    struct receipt_head head;
};

extern const struct store_receipt_rows sqlite_receipt_rows;

/* Of a generation whose row was just added, at `now_ms`. */
MUST_CHECK bool sqlite_receipt_add(struct sqlite_db *db, struct receipt_chain *chain, int64_t generation_number,
                                   int64_t now_ms, const uint8_t salt[RECEIPT_SALT_SIZE], struct str bytes,
                                   struct err *err);
/* Writes the day's row, if it has changed. */
MUST_CHECK bool sqlite_receipts_flush(struct sqlite_db *db, struct receipt_chain *chain, struct err *err);

/* For the ledger's check: walks the chain, inside a transaction that reads. */
MUST_CHECK bool sqlite_receipts_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text),
                                      void *context, int64_t *count, struct err *err);

#endif
