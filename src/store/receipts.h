/* Receipts: what a buyer can show of a settled generation, chained as they were settled (docs/RECEIPTS.md). A
 * settlement brings its receipt (settlements.h), so that neither is there without the other. */
#ifndef NATARIS_STORE_RECEIPTS_H
#define NATARIS_STORE_RECEIPTS_H

#include "store/limits.h"
#include "wire/receipt.h"

struct store_receipt {
    bool kept; /* false: the generation was settled before there were receipts, or never; the rest is empty */
    struct receipt_link link;
    uint8_t salt[RECEIPT_SALT_SIZE]; /* zeros: its account was erased */
    struct str bytes;                /* wire/receipt.h reads them */
};
bool store_receipt_has_salt(const struct store_receipt *receipt);

/* Asynchronous; borrowed for the call. ERR_NOT_FOUND: the account has no such generation, or not any more. */
void store_receipt_read(struct store *store, const char *account_id, const char *id,
                        void (*on_result)(void *context, const struct store_receipt *receipt, const struct err *err),
                        void *context);
/* The same of any account (account_id ""), on a store that is not started; receipt->bytes is on the heap, to be freed
 * with free(). */
MUST_CHECK bool store_receipt_get(struct store *store, const char *id, struct store_receipt *receipt, struct err *err);

/* How far the chain has come on a day; STORE_RECEIPTS_NEWEST: on the last one that has receipts. ERR_NOT_FOUND. */
#define STORE_RECEIPTS_NEWEST INT64_MIN
void store_receipt_head(struct store *store, int64_t day,
                        void (*on_result)(void *context, const struct receipt_head *head, const struct err *err),
                        void *context);
MUST_CHECK bool store_receipt_head_get(struct store *store, int64_t day, struct receipt_head *head, struct err *err);

/* Hashes of the bytes of a day's receipts behind the place `after`, in order: by them the chain can be followed from
 * one's own receipt to the day's head, without seeing those of others. Fewer than `limit`: there are no more. */
enum { STORE_RECEIPT_LEAVES_MAX = STORE_PAGE_MAX };
struct store_receipt_leaves {
    uint8_t (*items)[DIGEST_SHA256_SIZE];
    size_t count;
};
void store_receipt_leaves(struct store *store, int64_t day, int64_t after, unsigned limit,
                          void (*on_result)(void *context, const struct store_receipt_leaves *leaves,
                                            const struct err *err),
                          void *context);

/* --- Of a backend --- */

struct store_receipt_rows {
    /* bytes on the heap. account_id "": any. */
    bool (*read)(struct store_connection *connection, const char *account_id, const char *id, struct store_receipt *out,
                 struct err *err);
    bool (*head)(struct store_connection *connection, int64_t day, struct receipt_head *out, struct err *err);
    bool (*leaves)(struct store_connection *connection, int64_t day, int64_t after, size_t limit,
                   struct store_receipt_leaves *out, struct err *err);
};

#endif
