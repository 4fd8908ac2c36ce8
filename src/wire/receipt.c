#include "wire/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHAIN_MAGIC "nataris receipt chain 1\n"
#define SIGNED_MAGIC "nataris receipt signed 1\n"
#define HEAD_MAGIC "nataris receipt head 1\n"
#define CLAIM_MAGIC "nataris delivery 1\n"
#define NAME_MAGIC "nataris delivery name 1\n"

#define DAY_MS INT64_C(86400000)

enum { SHORT_MAX = 255 };

/* --- Numbers, the highest byte first --- */

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t size) {
    for (size_t i = size; i-- > 0;) {
        *at++ = (uint8_t)(number >> (8 * i));
    }
    return at;
}

static uint8_t *put_bytes(uint8_t *at, const void *bytes, size_t size) {
    memcpy(at, bytes, size);
    return at + size;
}

static size_t text_size(struct str text) {
    return text.len < SHORT_MAX ? text.len : SHORT_MAX;
}

static uint8_t *put_text(uint8_t *at, struct str text) {
    const size_t len = text_size(text);
    return put_bytes(put_number(at, len, 1), text.data, len);
}

void receipt_name(const uint8_t salt[RECEIPT_SALT_SIZE], uint8_t out[RECEIPT_NAME_SIZE]) {
    uint8_t bytes[sizeof(NAME_MAGIC) - 1 + RECEIPT_SALT_SIZE], hash[DIGEST_SHA256_SIZE];
    (void)put_bytes(put_bytes(bytes, NAME_MAGIC, sizeof(NAME_MAGIC) - 1), salt, RECEIPT_SALT_SIZE);
    digest_sha256(bytes, sizeof(bytes), hash);
    memcpy(out, hash, RECEIPT_NAME_SIZE);
}

/* --- Its bytes --- */

/* How many bytes a receipt has without its texts, and so a part of it with all that it may have. */
enum {
    RECEIPT_BARE = sizeof(RECEIPT_MAGIC) - 1 + 6 + 8 + 2 * DIGEST_SHA256_SIZE + 8 + 4 + 4 + 8 + RECEIPT_NAME_SIZE + 1,
    PART_BARE =
        1 + ED25519_KEY_SIZE + 4 + 4 + 1 + 2 * DIGEST_SHA256_SIZE + 4 + 4 + DIGEST_SHA256_SIZE + ED25519_SIGNATURE_SIZE,
};

static uint8_t *put_claim(uint8_t *at, const struct receipt_part *part, bool differs) {
    const struct receipt_claim *claim = &part->claim;
    at = put_number(at, claim->prompt_tokens, 4);
    at = put_number(at, claim->completion_tokens, 4);
    if (differs) {
        at = put_bytes(at, claim->sha256, sizeof(claim->sha256));
    }
    return put_bytes(at, claim->signature, sizeof(claim->signature));
}

static uint8_t *put_part(uint8_t *at, const struct receipt_part *part) {
    const bool differs = part->has_claim && memcmp(part->claim.sha256, part->sha256, sizeof(part->sha256)) != 0;
    at = put_text(at, part->device_id);
    at = put_bytes(at, part->public_key, sizeof(part->public_key));
    at = put_number(at, part->attempt, 4);
    at = put_number(at, part->tokens, 4);
    *at++ = (uint8_t)((part->has_file ? RECEIPT_PART_FILE : 0U) | (part->has_claim ? RECEIPT_PART_CLAIM : 0U) |
                      (differs ? RECEIPT_PART_CLAIM_DIFFERS : 0U));
    if (part->has_file) {
        at = put_bytes(at, part->file_sha256, sizeof(part->file_sha256));
    }
    at = put_bytes(at, part->sha256, sizeof(part->sha256));
    return part->has_claim ? put_claim(at, part, differs) : at;
}

static size_t bytes_max(const struct receipt *receipt) {
    const struct str *texts[] = {&receipt->id,      &receipt->account_id, &receipt->model,
                                 &receipt->purpose, &receipt->outcome,    &receipt->request_of};
    size_t size = RECEIPT_BARE;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        size += text_size(*texts[i]);
    }
    for (size_t i = 0; i < receipt->part_count; i++) {
        size += PART_BARE + text_size(receipt->parts[i].device_id);
    }
    return size;
}

void receipt_write_bytes(const struct receipt *receipt, struct buf *out) {
    uint8_t *const begin = (uint8_t *)buf_reserve(out, bytes_max(receipt)), *at = begin;
    if (begin == NULL) {
        return;
    }
    at = put_bytes(at, RECEIPT_MAGIC, sizeof(RECEIPT_MAGIC) - 1);
    at = put_text(at, receipt->id);
    at = put_text(at, receipt->account_id);
    at = put_text(at, receipt->model);
    at = put_text(at, receipt->purpose);
    at = put_text(at, receipt->outcome);
    at = put_number(at, (uint64_t)receipt->created_ms, 8);
    at = put_text(at, receipt->request_of);
    at = put_bytes(at, receipt->request_sha256, sizeof(receipt->request_sha256));
    at = put_bytes(at, receipt->answer_sha256, sizeof(receipt->answer_sha256));
    at = put_number(at, receipt->answer_bytes, 8);
    at = put_number(at, receipt->prompt_tokens, 4);
    at = put_number(at, receipt->completion_tokens, 4);
    at = put_number(at, (uint64_t)receipt->charge_nano, 8);
    at = put_bytes(at, receipt->name, sizeof(receipt->name));
    at = put_number(at, receipt->part_count, 1);
    for (size_t i = 0; i < receipt->part_count; i++) {
        at = put_part(at, &receipt->parts[i]);
    }
    out->len += (size_t)(at - begin);
}

/* What is left to read; `bad` sticks. */
struct taking {
    struct str rest;
    bool bad;
};

static struct str take(struct taking *taking, size_t size) {
    const struct str taken = {taking->rest.data, size};
    if (taking->bad || taking->rest.len < size) {
        taking->bad = true;
        return STR("");
    }
    taking->rest.data += size;
    taking->rest.len -= size;
    return taken;
}

static void take_bytes(struct taking *taking, void *out, size_t size) {
    const struct str taken = take(taking, size);
    if (taken.len == size) {
        memcpy(out, taken.data, size);
    }
}

static uint64_t take_number(struct taking *taking, size_t size) {
    const struct str taken = take(taking, size);
    uint64_t number = 0;
    for (size_t i = 0; i < taken.len; i++) {
        number = number << 8 | (uint8_t)taken.data[i];
    }
    return number;
}

static struct str take_text(struct taking *taking) {
    return take(taking, (size_t)take_number(taking, 1));
}

static void take_part(struct taking *taking, struct receipt_part *part) {
    part->device_id = take_text(taking);
    take_bytes(taking, part->public_key, sizeof(part->public_key));
    part->attempt = (uint32_t)take_number(taking, 4);
    part->tokens = (uint32_t)take_number(taking, 4);
    const uint64_t flags = take_number(taking, 1);
    part->has_file = (flags & RECEIPT_PART_FILE) != 0;
    part->has_claim = (flags & RECEIPT_PART_CLAIM) != 0;
    if (part->has_file) {
        take_bytes(taking, part->file_sha256, sizeof(part->file_sha256));
    }
    take_bytes(taking, part->sha256, sizeof(part->sha256));
    if (!part->has_claim) {
        return;
    }
    part->claim.prompt_tokens = (uint32_t)take_number(taking, 4);
    part->claim.completion_tokens = (uint32_t)take_number(taking, 4);
    memcpy(part->claim.sha256, part->sha256, sizeof(part->sha256));
    if ((flags & RECEIPT_PART_CLAIM_DIFFERS) != 0) {
        take_bytes(taking, part->claim.sha256, sizeof(part->claim.sha256));
    }
    take_bytes(taking, part->claim.signature, sizeof(part->claim.signature));
}

bool receipt_read_bytes(struct str bytes, struct receipt *out, struct err *err) {
    struct taking taking = {.rest = bytes};
    *out = (struct receipt){0};
    const struct str magic = take(&taking, sizeof(RECEIPT_MAGIC) - 1);
    taking.bad = taking.bad || !str_equal(magic, STR(RECEIPT_MAGIC));
    out->id = take_text(&taking);
    out->account_id = take_text(&taking);
    out->model = take_text(&taking);
    out->purpose = take_text(&taking);
    out->outcome = take_text(&taking);
    out->created_ms = (int64_t)take_number(&taking, 8);
    out->request_of = take_text(&taking);
    take_bytes(&taking, out->request_sha256, sizeof(out->request_sha256));
    take_bytes(&taking, out->answer_sha256, sizeof(out->answer_sha256));
    out->answer_bytes = take_number(&taking, 8);
    out->prompt_tokens = (uint32_t)take_number(&taking, 4);
    out->completion_tokens = (uint32_t)take_number(&taking, 4);
    out->charge_nano = (int64_t)take_number(&taking, 8);
    take_bytes(&taking, out->name, sizeof(out->name));
    out->part_count = (size_t)take_number(&taking, 1);
    taking.bad = taking.bad || out->part_count > RECEIPT_PARTS_MAX;
    for (size_t i = 0; !taking.bad && i < out->part_count; i++) {
        take_part(&taking, &out->parts[i]);
    }
    return (!taking.bad && taking.rest.len == 0) || err_set(err, ERR_INVALID, "the bytes are no receipt");
}

/* --- The chain --- */

void receipt_hash_on(const struct receipt_link *link, const uint8_t leaf[DIGEST_SHA256_SIZE],
                     uint8_t out[DIGEST_SHA256_SIZE]) {
    uint8_t bytes[sizeof(CHAIN_MAGIC) - 1 + 2 * DIGEST_SHA256_SIZE + 8 + 8], *at = bytes;
    at = put_bytes(at, CHAIN_MAGIC, sizeof(CHAIN_MAGIC) - 1);
    at = put_bytes(at, link->previous, sizeof(link->previous));
    at = put_number(at, (uint64_t)link->day, 8);
    at = put_number(at, (uint64_t)link->place, 8);
    (void)put_bytes(at, leaf, DIGEST_SHA256_SIZE);
    digest_sha256(bytes, sizeof(bytes), out);
}

void receipt_hash(const struct receipt_link *link, struct str bytes, uint8_t out[DIGEST_SHA256_SIZE]) {
    uint8_t leaf[DIGEST_SHA256_SIZE];
    digest_sha256(bytes.data, bytes.len, leaf);
    receipt_hash_on(link, leaf, out);
}

void receipt_day_name(int64_t day, char out[RECEIPT_DAY_SIZE]) {
    const time_t seconds = (time_t)(day * (DAY_MS / 1000));
    struct tm tm;
    if (gmtime_r(&seconds, &tm) == NULL || strftime(out, RECEIPT_DAY_SIZE, "%Y-%m-%d", &tm) == 0) {
        memcpy(out, "0000-00-00", RECEIPT_DAY_SIZE);
    }
}

static bool read_digits(struct str text, size_t at, size_t count, int *out) {
    uint64_t number;
    if (!str_parse_u64((struct str){text.data + at, count}, 9999, &number)) {
        return false;
    }
    *out = (int)number;
    return true;
}

/* By its name again, so that no day has two (and 30 February none). */
bool receipt_day_read(struct str text, int64_t *out) {
    struct tm tm = {0};
    char name[RECEIPT_DAY_SIZE];
    if (text.len != RECEIPT_DAY_SIZE - 1 || !read_digits(text, 0, 4, &tm.tm_year) ||
        !read_digits(text, 5, 2, &tm.tm_mon) || !read_digits(text, 8, 2, &tm.tm_mday)) {
        return false;
    }
    tm.tm_year -= 1900;
    tm.tm_mon -= 1;
    *out = (int64_t)timegm(&tm) / (DAY_MS / 1000);
    receipt_day_name(*out, name);
    return str_equal_cstr(text, name);
}

/* --- Signatures --- */

size_t receipt_claim_bytes(const struct receipt_claim *claim, const uint8_t name[RECEIPT_NAME_SIZE], uint32_t attempt,
                           uint8_t out[RECEIPT_SIGNED_MAX]) {
    uint8_t *at = put_bytes(out, CLAIM_MAGIC, sizeof(CLAIM_MAGIC) - 1);
    at = put_bytes(at, name, RECEIPT_NAME_SIZE);
    at = put_number(at, attempt, 4);
    at = put_bytes(at, claim->sha256, sizeof(claim->sha256));
    at = put_number(at, claim->prompt_tokens, 4);
    at = put_number(at, claim->completion_tokens, 4);
    return (size_t)(at - out);
}

bool receipt_claim_verify(const struct receipt_claim *claim, const uint8_t name[RECEIPT_NAME_SIZE], uint32_t attempt,
                          const uint8_t public_key[ED25519_KEY_SIZE]) {
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    const size_t len = receipt_claim_bytes(claim, name, attempt, bytes);
    return ed25519_verify(public_key, (struct str){(const char *)bytes, len}, claim->signature);
}

static void sign(const uint8_t private_key[ED25519_KEY_SIZE], struct str message, struct receipt_signature *out) {
    if (!ed25519_public_from_private(private_key, out->public_key) ||
        !ed25519_sign(private_key, message, out->signature)) {
        fputs("nataris: the crypto library failed\n", stderr);
        abort(); /* every 32 bytes are a key: only without memory (docs/decisions/0002-out-of-memory.md) */
    }
}

static struct str signed_bytes(const uint8_t hash[DIGEST_SHA256_SIZE], uint8_t out[RECEIPT_SIGNED_MAX]) {
    const uint8_t *end = put_bytes(put_bytes(out, SIGNED_MAGIC, sizeof(SIGNED_MAGIC) - 1), hash, DIGEST_SHA256_SIZE);
    return (struct str){(const char *)out, (size_t)(end - out)};
}

void receipt_sign(const uint8_t private_key[ED25519_KEY_SIZE], const uint8_t hash[DIGEST_SHA256_SIZE],
                  struct receipt_signature *out) {
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    sign(private_key, signed_bytes(hash, bytes), out);
}

bool receipt_verify(const struct receipt_signature *signature, const uint8_t hash[DIGEST_SHA256_SIZE]) {
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    return ed25519_verify(signature->public_key, signed_bytes(hash, bytes), signature->signature);
}

static struct str head_bytes(const struct receipt_head *head, uint8_t out[RECEIPT_SIGNED_MAX]) {
    uint8_t *at = put_bytes(out, HEAD_MAGIC, sizeof(HEAD_MAGIC) - 1);
    at = put_number(at, (uint64_t)head->day, 8);
    at = put_number(at, (uint64_t)head->count, 8);
    at = put_bytes(at, head->hash, sizeof(head->hash));
    return (struct str){(const char *)out, (size_t)(at - out)};
}

void receipt_head_sign(const uint8_t private_key[ED25519_KEY_SIZE], const struct receipt_head *head,
                       struct receipt_signature *out) {
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    sign(private_key, head_bytes(head, bytes), out);
}

bool receipt_head_verify(const struct receipt_signature *signature, const struct receipt_head *head) {
    uint8_t bytes[RECEIPT_SIGNED_MAX];
    return ed25519_verify(signature->public_key, head_bytes(head, bytes), signature->signature);
}
