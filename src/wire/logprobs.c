#include "wire/logprobs.h"

#include <math.h>
#include <string.h>

enum { HEAD_SIZE = 10 }; /* id, log-probability, length of the bytes */

/* --- Writing --- */

static void add_number(struct buf *out, uint32_t value, size_t size) {
    uint8_t bytes[4];
    for (size_t i = 0; i < size; i++) {
        bytes[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
    }
    (void)buf_append(out, bytes, size);
}

static void add_one(struct buf *out, const struct gen_logprob *one) {
    uint32_t bits;
    memcpy(&bits, &one->logprob, sizeof(bits));
    add_number(out, one->id, 4);
    add_number(out, bits, 4);
    add_number(out, (uint32_t)one->bytes.len, 2);
    (void)buf_append_str(out, one->bytes);
}

void gen_logprobs_append(struct buf *out, const struct gen_token_logprobs *token) {
    add_number(out, (uint32_t)token->other_count, 1);
    add_one(out, &token->taken);
    for (size_t i = 0; i < token->other_count; i++) {
        add_one(out, &token->others[i]);
    }
}

/* --- Reading --- */

static uint32_t number_at(const char *at, size_t size) {
    uint32_t value = 0;
    for (size_t i = 0; i < size; i++) {
        value = value << 8 | (uint8_t)at[i];
    }
    return value;
}

static bool take(struct str *from, size_t len, struct str *out) {
    if (from->len < len) {
        return false;
    }
    *out = (struct str){from->data, len};
    *from = (struct str){from->data + len, from->len - len};
    return true;
}

static bool take_one(struct str *from, struct gen_logprob *out) {
    struct str head;
    if (!take(from, HEAD_SIZE, &head)) {
        return false;
    }
    const uint32_t bits = number_at(head.data + 4, 4), len = number_at(head.data + 8, 2);
    out->id = number_at(head.data, 4);
    memcpy(&out->logprob, &bits, sizeof(bits));
    return isfinite(out->logprob) && out->logprob <= 0.0F && len <= LIMIT_LOGPROB_TOKEN_BYTES &&
           take(from, len, &out->bytes);
}

bool gen_logprobs_next(struct str *logprobs, struct gen_token_logprobs *out) {
    struct str count;
    if (!take(logprobs, 1, &count)) {
        return false;
    }
    out->other_count = (uint8_t)count.data[0];
    if (out->other_count > LIMIT_LOGPROB_OTHERS || !take_one(logprobs, &out->taken)) {
        return false;
    }
    for (size_t i = 0; i < out->other_count; i++) {
        if (!take_one(logprobs, &out->others[i])) {
            return false;
        }
    }
    return true;
}

bool gen_logprobs_are_of(struct str logprobs, uint32_t tokens) {
    struct gen_token_logprobs token;
    for (uint32_t i = 0; i < tokens; i++) {
        if (!gen_logprobs_next(&logprobs, &token)) {
            return false;
        }
    }
    return logprobs.len == 0;
}

size_t gen_logprobs_prefix(struct str logprobs, uint32_t tokens) {
    struct gen_token_logprobs token;
    const size_t whole = logprobs.len;
    for (uint32_t i = 0; i < tokens && gen_logprobs_next(&logprobs, &token); i++) {
    }
    return whole - logprobs.len;
}
