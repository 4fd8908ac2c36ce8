#include "wire/receipt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAGIC "nataris receipt 1\n"
#define CHAIN_MAGIC "nataris receipt chain 1\n"
#define SIGNED_MAGIC "nataris receipt signed 1\n"
#define HEAD_MAGIC "nataris receipt head 1\n"
#define CLAIM_MAGIC "nataris delivery 1\n"
#define NAME_MAGIC "nataris delivery name 1\n"

#define DAY_MS INT64_C(86400000)

enum { SHORT_MAX = 255, PART_FILE = 1, PART_CLAIM = 2, PART_CLAIM_DIFFERS = 4 };

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

static void add_number(struct buf *out, uint64_t number, size_t size) {
    uint8_t bytes[8];
    (void)put_number(bytes, number, size);
    buf_append(out, bytes, size);
}

static void add_text(struct buf *out, struct str text) {
    const size_t len = text.len < SHORT_MAX ? text.len : SHORT_MAX;
    add_number(out, len, 1);
    buf_append(out, text.data, len);
}

void receipt_name(const uint8_t salt[RECEIPT_SALT_SIZE], uint8_t out[RECEIPT_NAME_SIZE]) {
    uint8_t bytes[sizeof(NAME_MAGIC) - 1 + RECEIPT_SALT_SIZE], hash[DIGEST_SHA256_SIZE];
    (void)put_bytes(put_bytes(bytes, NAME_MAGIC, sizeof(NAME_MAGIC) - 1), salt, RECEIPT_SALT_SIZE);
    digest_sha256(bytes, sizeof(bytes), hash);
    memcpy(out, hash, RECEIPT_NAME_SIZE);
}

/* --- Its bytes --- */

static void add_claim(struct buf *out, const struct receipt_part *part, bool differs) {
    const struct receipt_claim *claim = &part->claim;
    add_number(out, claim->prompt_tokens, 4);
    add_number(out, claim->completion_tokens, 4);
    if (differs) {
        buf_append(out, claim->sha256, sizeof(claim->sha256));
    }
    buf_append(out, claim->signature, sizeof(claim->signature));
}

static void add_part(struct buf *out, const struct receipt_part *part) {
    const bool differs = part->has_claim && memcmp(part->claim.sha256, part->sha256, sizeof(part->sha256)) != 0;
    add_text(out, part->device_id);
    buf_append(out, part->public_key, sizeof(part->public_key));
    add_number(out, part->attempt, 4);
    add_number(out, part->tokens, 4);
    add_number(out,
               (part->has_file ? PART_FILE : 0U) | (part->has_claim ? PART_CLAIM : 0U) |
                   (differs ? PART_CLAIM_DIFFERS : 0U),
               1);
    if (part->has_file) {
        buf_append(out, part->file_sha256, sizeof(part->file_sha256));
    }
    buf_append(out, part->sha256, sizeof(part->sha256));
    if (part->has_claim) {
        add_claim(out, part, differs);
    }
}

void receipt_write_bytes(const struct receipt *receipt, struct buf *out) {
    buf_append_cstr(out, MAGIC);
    add_text(out, receipt->id);
    add_text(out, receipt->account_id);
    add_text(out, receipt->model);
    add_text(out, receipt->purpose);
    add_text(out, receipt->outcome);
    add_number(out, (uint64_t)receipt->created_ms, 8);
    add_text(out, receipt->request_of);
    buf_append(out, receipt->request_sha256, sizeof(receipt->request_sha256));
    buf_append(out, receipt->answer_sha256, sizeof(receipt->answer_sha256));
    add_number(out, receipt->answer_bytes, 8);
    add_number(out, receipt->prompt_tokens, 4);
    add_number(out, receipt->completion_tokens, 4);
    add_number(out, (uint64_t)receipt->charge_nano, 8);
    buf_append(out, receipt->name, sizeof(receipt->name));
    add_number(out, receipt->part_count, 1);
    for (size_t i = 0; i < receipt->part_count; i++) {
        add_part(out, &receipt->parts[i]);
    }
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
    part->has_file = (flags & PART_FILE) != 0;
    part->has_claim = (flags & PART_CLAIM) != 0;
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
    if ((flags & PART_CLAIM_DIFFERS) != 0) {
        take_bytes(taking, part->claim.sha256, sizeof(part->claim.sha256));
    }
    take_bytes(taking, part->claim.signature, sizeof(part->claim.signature));
}

bool receipt_read_bytes(struct str bytes, struct receipt *out, struct err *err) {
    struct taking taking = {.rest = bytes};
    *out = (struct receipt){0};
    const struct str magic = take(&taking, sizeof(MAGIC) - 1);
    taking.bad = taking.bad || !str_equal(magic, STR(MAGIC));
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
