/* The receipt of a generation while it is made (docs/RECEIPTS.md): its digests grow with the answer, and it is written
 * when the generation is settled. */
#ifndef NATARIS_GATEWAY_RECEIPT_H
#define NATARIS_GATEWAY_RECEIPT_H

#include "core/core.h"
#include "wire/receipt.h"

struct call;
struct digest_stream;
struct gateway_provider;
struct store_generation;

/* Of the whole answer. */
struct receipt_draft {
    uint8_t salt[RECEIPT_SALT_SIZE], name[RECEIPT_NAME_SIZE], request_sha256[DIGEST_SHA256_SIZE];
    const char *request_of;
    struct digest_stream *answer; /* owned; NULL: no text has come yet */
    struct digest_stream *part;   /* owned; of the present attempt; NULL: it is all of the answer so far */
    uint64_t bytes;
};

/* Of one attempt; what is known of its device, which may be gone by the time the generation is settled. */
struct receipt_mark {
    uint8_t public_key[ED25519_KEY_SIZE], file_sha256[DIGEST_SHA256_SIZE], sha256[DIGEST_SHA256_SIZE];
    bool has_file, has_text, over; /* over: `sha256` is of all its text */
    bool has_claim;
    struct receipt_claim claim;
};

/* While the call's request is still there. */
void receipt_begin(struct receipt_draft *draft, const struct call *call);
/* A new attempt begins, on that device and with that model: whatever the one before (NULL: there was none) says from
 * here on does not count. */
void receipt_attempt(struct receipt_draft *draft, struct receipt_mark *before, struct receipt_mark *mark,
                     const struct gateway_provider *provider, struct str model);
/* Text of the present attempt that counts. */
void receipt_add_text(struct receipt_draft *draft, struct receipt_mark *mark, struct str text);

/* Whose text is of an attempt; NULL: there was no such one. The device's id is borrowed. */
typedef const struct receipt_mark *receipt_find(void *context, uint32_t attempt, struct str *device_id);
/* Appends its bytes. Once; `last` is the present attempt, NULL when there is none. */
void receipt_write(struct receipt_draft *draft, const struct store_generation *record,
                   const struct core_outcome *outcome, struct receipt_mark *last, receipt_find *find, void *context,
                   struct buf *out);
void receipt_clear(struct receipt_draft *draft);

#endif
