/* Receipts of settled generations (docs/RECEIPTS.md): the bytes that are hashed, chained and signed, and the file in
 * which a buyer gets one. No I/O, and nothing of a prompt or an answer but salted digests. */
#ifndef NATARIS_WIRE_RECEIPT_H
#define NATARIS_WIRE_RECEIPT_H

#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"
#include "base/json_read.h"
#include "base/json_write.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RECEIPT_NAME_SIZE = 16, /* under which devices know the generation while they sign */
    RECEIPT_SALT_SIZE = 16,
    RECEIPT_PARTS_MAX = 64,
    RECEIPT_DAY_SIZE = 11,           /* "2026-11-30" */
    RECEIPT_FILE_BYTES = 128 * 1024, /* no file is larger */
};

/* What a device says that it has delivered, and stands for with its key. */
struct receipt_claim {
    uint32_t prompt_tokens, completion_tokens;
    uint8_t sha256[DIGEST_SHA256_SIZE]; /* salted, of all the text that it has sent */
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};

/* What one device did of an answer. */
struct receipt_part {
    struct str device_id;
    uint8_t public_key[ED25519_KEY_SIZE];
    uint32_t attempt;
    uint32_t tokens; /* completion tokens that are billed */
    bool has_file, has_claim;
    uint8_t file_sha256[DIGEST_SHA256_SIZE]; /* of the model's file, as the device said */
    uint8_t sha256[DIGEST_SHA256_SIZE];      /* salted, of the text that the gateway has taken from it */
    struct receipt_claim claim;
};

struct receipt { /* strings are borrowed; each at most 255 bytes */
    struct str id, account_id, model;
    struct str purpose, outcome; /* "request", "job", ...; "completed", "cancelled" */
    int64_t created_ms;          /* when the request came, since 1970 */
    struct str request_of;       /* "body" or "messages": what the request's digest is of */
    uint8_t request_sha256[DIGEST_SHA256_SIZE], answer_sha256[DIGEST_SHA256_SIZE]; /* both salted */
    uint64_t answer_bytes;
    uint32_t prompt_tokens, completion_tokens; /* as they are billed */
    int64_t charge_nano;
    uint8_t name[RECEIPT_NAME_SIZE];
    struct receipt_part parts[RECEIPT_PARTS_MAX];
    size_t part_count;
};

/* Where a receipt stands: the `place`-th of its day, from 1. */
struct receipt_link {
    int64_t day; /* UTC, since 1970 */
    int64_t place;
    uint8_t previous[DIGEST_SHA256_SIZE]; /* the hash of the one before */
};

/* The name under which devices sign: it follows from the salt, so that whoever has the salt can see that it is it. */
void receipt_name(const uint8_t salt[RECEIPT_SALT_SIZE], uint8_t out[RECEIPT_NAME_SIZE]);

/* --- What is hashed --- */

#define RECEIPT_MAGIC "nataris receipt 1\n" /* in front of the bytes */
/* Bits of a part's byte in them: what of it there is. */
enum { RECEIPT_PART_FILE = 1, RECEIPT_PART_CLAIM = 2, RECEIPT_PART_CLAIM_DIFFERS = 4 };

/* Appends the bytes of the receipt. Check out->overflow. */
void receipt_write_bytes(const struct receipt *receipt, struct buf *out);
/* Reads what receipt_write_bytes wrote, all of it; strings are borrowed from `bytes`. ERR_INVALID. */
MUST_CHECK bool receipt_read_bytes(struct str bytes, struct receipt *out, struct err *err);
/* The link's hash: of the hash before, the day, the place, and the hash of the receipt's bytes. */
void receipt_hash(const struct receipt_link *link, struct str bytes, uint8_t out[DIGEST_SHA256_SIZE]);
/* The same from the latter's hash: whoever has not the receipts of others can follow the chain by these. */
void receipt_hash_on(const struct receipt_link *link, const uint8_t leaf[DIGEST_SHA256_SIZE],
                     uint8_t out[DIGEST_SHA256_SIZE]);
/* "2026-11-30" of a day since 1970, and back; false: it is none. */
void receipt_day_name(int64_t day, char out[RECEIPT_DAY_SIZE]);
MUST_CHECK bool receipt_day_read(struct str text, int64_t *out);

/* --- What is signed --- */

enum { RECEIPT_SIGNED_MAX = 160 };
/* Each gives how many bytes `out` has then. By a device: what it has delivered. */
size_t receipt_claim_bytes(const struct receipt_claim *claim, const uint8_t name[RECEIPT_NAME_SIZE], uint32_t attempt,
                           uint8_t out[RECEIPT_SIGNED_MAX]);
MUST_CHECK bool receipt_claim_verify(const struct receipt_claim *claim, const uint8_t name[RECEIPT_NAME_SIZE],
                                     uint32_t attempt, const uint8_t public_key[ED25519_KEY_SIZE]);

struct receipt_signature {
    uint8_t public_key[ED25519_KEY_SIZE]; /* of the gateway */
    uint8_t signature[ED25519_SIGNATURE_SIZE];
};
/* The gateway's, of a receipt by its link's hash; and of a day's head, which has so many receipts. */
void receipt_sign(const uint8_t private_key[ED25519_KEY_SIZE], const uint8_t hash[DIGEST_SHA256_SIZE],
                  struct receipt_signature *out);
MUST_CHECK bool receipt_verify(const struct receipt_signature *signature, const uint8_t hash[DIGEST_SHA256_SIZE]);

struct receipt_head {
    int64_t day, count;
    uint8_t hash[DIGEST_SHA256_SIZE];
};
void receipt_head_sign(const uint8_t private_key[ED25519_KEY_SIZE], const struct receipt_head *head,
                       struct receipt_signature *out);
MUST_CHECK bool receipt_head_verify(const struct receipt_signature *signature, const struct receipt_head *head);

#endif
