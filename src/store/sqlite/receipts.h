/* The rows of store/receipts.h: what a settlement adds to the chain, and the proof of it. */
#ifndef NATARIS_STORE_SQLITE_RECEIPTS_H
#define NATARIS_STORE_SQLITE_RECEIPTS_H

#include "store/generations.h"
#include "store/receipts.h"
#include "store/sqlite/db.h"

/* Where the chain ends: read once, then kept beside the ledger's balances. */
struct receipt_chain {
    bool known, new_day; /* of the new day there is no row yet */
    int64_t day_number;  /* 0: there is none yet */
    int64_t first_generation, last_generation;
    int64_t told_generation; /* the last one of which the day's row knows */
    struct receipt_head head;
};
/* The place of the next one. */
struct receipt_next {
    bool turns; /* it is the first of its day */
    int64_t day_number;
    struct receipt_link link;
};

extern const struct store_receipt_rows sqlite_receipt_rows;

/* Before the generation's row is written: that of its receipt, which is settled at `now_ms`. Changes nothing. */
MUST_CHECK bool sqlite_receipt_next(struct sqlite_db *db, struct receipt_chain *chain, int64_t now_ms,
                                    struct receipt_next *out, struct err *err);
/* What the row keeps of it, on the heap, to be freed with free(). */
uint8_t *sqlite_receipt_pack(const struct receipt_next *next, const uint8_t salt[RECEIPT_SALT_SIZE],
                             const struct store_generation *record, struct str bytes, size_t *size);
/* After it was written. */
MUST_CHECK bool sqlite_receipt_added(struct sqlite_db *db, struct receipt_chain *chain, const struct receipt_next *next,
                                     int64_t generation_number, struct str bytes, struct err *err);
/* Writes the day's row, if it is due; with `all`, if there is anything that it does not know. `last_generation`: of all
 * that are there. */
MUST_CHECK bool sqlite_receipts_flush(struct sqlite_db *db, struct receipt_chain *chain, int64_t last_generation,
                                      bool all, struct err *err);

/* For the ledger's check: walks the chain, inside a transaction that reads. */
MUST_CHECK bool sqlite_receipts_check(struct sqlite_db *db, void (*on_problem)(void *context, const char *text),
                                      void *context, int64_t *count, struct err *err);

#endif
