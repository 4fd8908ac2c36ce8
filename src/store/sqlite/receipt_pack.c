#include "store/sqlite/receipt_pack.h"

#include "base/mem.h"
#include "wire/receipt.h"

#include <assert.h>
#include <endian.h>
#include <string.h>

/* Fields that the record may say, one bit each. */
enum { FIELDS_MAX = 8 * RECEIPT_PACK_EXTRA };

/* One walk over the fields of a receipt does both: each is either as the record says, which a bit tells and nothing
 * else, or it is copied from `in` to `out`. */
struct walk {
    bool packing;
    struct str in;
    uint8_t *out; /* NULL: only counted */
    size_t len;
    uint32_t known;
    unsigned field;
    bool bad; /* `in` has ended before its time; sticks */
};

static inline void put(struct walk *walk, const void *bytes, size_t size) {
    if (walk->out != NULL) {
        memcpy(walk->out + walk->len, bytes, size);
    }
    walk->len += size;
}

/* The bytes that were copied; NULL when there are not so many. */
static inline const uint8_t *copy(struct walk *walk, size_t size) {
    const uint8_t *from = (const uint8_t *)walk->in.data;
    if (walk->bad || walk->in.len < size) {
        walk->bad = true;
        return NULL;
    }
    put(walk, from, size);
    walk->in.data += size;
    walk->in.len -= size;
    return from;
}

/* A field that the record says as these bytes; true: it does. */
static inline bool is_known(struct walk *walk, const void *bytes, size_t size) {
    const uint32_t bit = UINT32_C(1) << walk->field++;
    assert(walk->field <= FIELDS_MAX);
    if (!walk->packing) {
        if (!walk->bad && (walk->known & bit) != 0) {
            put(walk, bytes, size);
            return true;
        }
        return false;
    }
    if (walk->bad || walk->in.len < size || memcmp(walk->in.data, bytes, size) != 0) {
        return false;
    }
    walk->known |= bit;
    walk->in.data += size;
    walk->in.len -= size;
    return true;
}

static void walk_number(struct walk *walk, uint64_t number, size_t size) {
    const uint64_t bytes = htobe64(number << (8 * (sizeof(number) - size))); /* the highest byte first */
    if (!is_known(walk, &bytes, size)) {
        (void)copy(walk, size);
    }
}

static void walk_text(struct walk *walk, const char *text) {
    uint8_t bytes[1 + STORE_MODEL_MAX]; /* the longest of a record's texts */
    const size_t len = strlen(text);
    assert(len < sizeof(bytes));
    bytes[0] = (uint8_t)len;
    memcpy(bytes + 1, text, len);
    if (!is_known(walk, bytes, 1 + len)) {
        const uint8_t *size = copy(walk, 1);
        (void)copy(walk, size != NULL ? *size : 0);
    }
}

/* What the one device made that made most answers; of several, the others are copied as they are. */
static void walk_part(struct walk *walk, const struct store_generation *record, const uint8_t *answer_sha256) {
    walk_text(walk, record->device_id);
    (void)copy(walk, ED25519_KEY_SIZE);
    walk_number(walk, 1, 4); /* attempt */
    walk_number(walk, record->completion_tokens, 4);
    const uint8_t *flags = copy(walk, 1);
    if (flags != NULL && (*flags & RECEIPT_PART_FILE) != 0) {
        (void)copy(walk, DIGEST_SHA256_SIZE); /* of the file */
    }
    if (answer_sha256 != NULL && !is_known(walk, answer_sha256, DIGEST_SHA256_SIZE)) {
        (void)copy(walk, DIGEST_SHA256_SIZE);
    }
    if (flags != NULL && (*flags & RECEIPT_PART_CLAIM) != 0) {
        walk_number(walk, record->prompt_tokens, 4);
        walk_number(walk, record->completion_tokens, 4);
    }
}

/* In the order of wire/receipt.h's bytes. */
static void walk_receipt(struct walk *walk, const struct store_generation *record) {
    const bool request = record->purpose == STORE_PURPOSE_REQUEST;
    if (!is_known(walk, RECEIPT_MAGIC, sizeof(RECEIPT_MAGIC) - 1)) {
        (void)copy(walk, walk->in.len); /* something else */
        return;
    }
    walk_text(walk, record->id);
    walk_text(walk, record->account_id);
    walk_text(walk, record->model);
    walk_text(walk, store_purpose_name(record->purpose));
    walk_text(walk, record->outcome == STORE_OUTCOME_CANCELLED ? "cancelled" : "completed");
    walk_number(walk, (uint64_t)record->created_ms, 8);
    walk_text(walk, request ? "body" : "messages");
    (void)copy(walk, DIGEST_SHA256_SIZE); /* of the request */
    const uint8_t *answer_sha256 = copy(walk, DIGEST_SHA256_SIZE);
    (void)copy(walk, 8); /* bytes of the answer */
    walk_number(walk, record->prompt_tokens, 4);
    walk_number(walk, record->completion_tokens, 4);
    walk_number(walk, (uint64_t)record->charge_nano, 8);
    (void)copy(walk, RECEIPT_NAME_SIZE);
    const uint8_t *parts = copy(walk, 1);
    if (parts != NULL && *parts == 1) {
        walk_part(walk, record, answer_sha256);
    }
    (void)copy(walk, walk->in.len); /* what is left */
}

size_t receipt_pack(const struct store_generation *record, struct str bytes, uint8_t *out) {
    struct walk walk = {.packing = true, .in = bytes, .out = out + RECEIPT_PACK_EXTRA};
    walk_receipt(&walk, record);
    if (walk.bad) { /* it ends where no receipt does */
        walk = (struct walk){.out = out + RECEIPT_PACK_EXTRA};
        put(&walk, bytes.data, bytes.len);
    }
    for (size_t i = 0; i < RECEIPT_PACK_EXTRA; i++) {
        out[i] = (uint8_t)(walk.known >> (8 * i));
    }
    return RECEIPT_PACK_EXTRA + walk.len;
}

static struct walk unpack(const struct store_generation *record, struct str packed, uint8_t *out) {
    struct walk walk = {.in = packed, .out = out};
    if (packed.len < RECEIPT_PACK_EXTRA) {
        walk.bad = true;
        return walk;
    }
    for (size_t i = 0; i < RECEIPT_PACK_EXTRA; i++) {
        walk.known |= (uint32_t)(uint8_t)packed.data[i] << (8 * i);
    }
    walk.in.data += RECEIPT_PACK_EXTRA;
    walk.in.len -= RECEIPT_PACK_EXTRA;
    walk_receipt(&walk, record);
    return walk;
}

bool receipt_unpack(const struct store_generation *record, struct str packed, struct str *out, struct err *err) {
    const struct walk counted = unpack(record, packed, NULL);
    *out = (struct str){0};
    if (counted.bad) {
        return err_set(err, ERR_INVALID, "the bytes are no receipt");
    }
    uint8_t *bytes = mem_alloc(counted.len + 1);
    (void)unpack(record, packed, bytes);
    *out = (struct str){(const char *)bytes, counted.len};
    return true;
}
