#include "base/digest.h"

#include "base/compiler.h"
#include "base/mem.h"
#include "base/random.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest_stream {
    EVP_MD_CTX *context;
};

/* Streams that are not in use. Making and ending one takes longer than hashing a short text. */
enum { SPARES_MAX = 16 };
struct digest_spares {
    struct digest_stream *items[SPARES_MAX];
    size_t count;
};

/* OpenSSL's hashes fail only without memory; nothing goes on without them (docs/decisions/0002-out-of-memory.md). */
static void digest_check(bool worked) {
    if (!worked) {
        fputs("nataris: the crypto library failed\n", stderr);
        abort();
    }
}

/* EVP_sha256() has the library look for its implementation at each use, which takes longer than hashing a short text
 * (crypto(7), "Performance"): it is fetched once, for the life of the process. */
static EVP_MD *fetched_sha256;

static pthread_key_t spares_key; /* each thread has its own */

static void stream_free(struct digest_stream *stream) {
    EVP_MD_CTX_free(stream->context);
    free(stream);
}

static void spares_free(void *context) {
    struct digest_spares *spares = context;
    for (size_t i = 0; i < spares->count; i++) {
        stream_free(spares->items[i]);
    }
    free(spares);
}

static void digest_open(void) {
    fetched_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    digest_check(fetched_sha256 != NULL && pthread_key_create(&spares_key, spares_free) == 0);
}

static const EVP_MD *digest_of_sha256(void) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, digest_open);
    return fetched_sha256;
}

/* One that has finished its text, so that nothing of that is left in it but the digest. */
static void stream_give_back(struct digest_stream *stream) {
    struct digest_spares *spares = pthread_getspecific(spares_key);
    if (spares == NULL) {
        spares = MEM_NEW(struct digest_spares);
        digest_check(pthread_setspecific(spares_key, spares) == 0);
    }
    if (spares->count < SPARES_MAX) {
        spares->items[spares->count++] = stream;
    } else {
        stream_free(stream);
    }
}

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_SIZE]) {
    struct digest_stream *stream = digest_stream_new();
    digest_stream_update(stream, data, len);
    digest_stream_finish(stream, out);
}

void digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_SIZE]) {
    digest_check(EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) == 1);
}

void digest_hmac_sha256(struct str key, struct str message, uint8_t out[DIGEST_SHA256_SIZE]) {
    digest_check(HMAC(digest_of_sha256(), key.data, (int)key.len, (const unsigned char *)message.data, message.len, out,
                      NULL) != NULL);
}

void digest_hex(const uint8_t *bytes, size_t len, char *out) {
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * len] = '\0';
}

bool digest_equal(const void *a, const void *b, size_t len) {
    return CRYPTO_memcmp(a, b, len) == 0;
}

uint32_t digest_crc32(const void *data, size_t len) {
    /* What four bits do to the rest; one cache line, so that the time tells nothing about a secret. */
    static const uint32_t nibbles[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    const uint8_t *bytes = data;
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < len; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ nibbles[crc & 15];
        crc = (crc >> 4) ^ nibbles[crc & 15];
    }
    return ~crc;
}

struct digest_stream *digest_stream_new(void) {
    const EVP_MD *sha256 = digest_of_sha256();
    struct digest_spares *spares = pthread_getspecific(spares_key);
    if (spares != NULL && spares->count > 0) {
        struct digest_stream *spare = spares->items[--spares->count];
        digest_check(EVP_DigestInit_ex(spare->context, NULL, NULL) == 1);
        return spare;
    }
    struct digest_stream *stream = MEM_NEW(struct digest_stream);
    stream->context = EVP_MD_CTX_new();
    digest_check(stream->context != NULL && EVP_DigestInit_ex(stream->context, sha256, NULL) == 1);
    return stream;
}

void digest_stream_update(struct digest_stream *stream, const void *data, size_t len) {
    digest_check(EVP_DigestUpdate(stream->context, data, len) == 1);
}

void digest_stream_peek(const struct digest_stream *stream, uint8_t out[DIGEST_SHA256_SIZE]) {
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    digest_check(copy != NULL && EVP_MD_CTX_copy_ex(copy, stream->context) == 1 &&
                 EVP_DigestFinal_ex(copy, out, NULL) == 1);
    EVP_MD_CTX_free(copy);
}

void digest_stream_finish(struct digest_stream *stream, uint8_t out[DIGEST_SHA256_SIZE]) {
    digest_check(EVP_DigestFinal_ex(stream->context, out, NULL) == 1);
    stream_give_back(stream);
}

static const char base64_digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void digest_base64_encode(const void *data, size_t len, char *out) {
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i;
        uint32_t group = (uint32_t)bytes[i] << 16;
        group |= left > 1 ? (uint32_t)bytes[i + 1] << 8 : 0;
        group |= left > 2 ? (uint32_t)bytes[i + 2] : 0;
        *out++ = base64_digits[group >> 18];
        *out++ = base64_digits[group >> 12 & 63];
        *out++ = left > 1 ? base64_digits[group >> 6 & 63] : '=';
        *out++ = left > 2 ? base64_digits[group & 63] : '=';
    }
    *out = '\0';
}

static bool base64_value(char digit, uint32_t *out) {
    const char *found = digit != '\0' ? strchr(base64_digits, digit) : NULL;
    if (found == NULL) {
        return false;
    }
    *out = (uint32_t)(found - base64_digits);
    return true;
}

/* Four digits, the last `padding` of them '=', to 3 - padding bytes. */
static bool base64_decode_group(const char *digits, size_t padding, uint8_t *out) {
    uint32_t group = 0;
    for (size_t i = 0; i < 4; i++) {
        uint32_t value = 0;
        if (i < 4 - padding && !base64_value(digits[i], &value)) {
            return false;
        }
        group = group << 6 | value;
    }
    if ((padding == 1 && (group & 0xff) != 0) || (padding == 2 && (group & 0xffff) != 0)) {
        return false; /* bits behind the end: a second spelling of the same bytes */
    }
    for (size_t i = 0; i < 3 - padding; i++) {
        out[i] = (uint8_t)(group >> (16 - 8 * i));
    }
    return true;
}

bool digest_base64_decode(struct str text, uint8_t *out, size_t out_size, size_t *out_len) {
    if (text.len % 4 != 0) {
        return false;
    }
    size_t padding = 0;
    while (padding < 2 && padding < text.len && text.data[text.len - 1 - padding] == '=') {
        padding++;
    }
    size_t len = text.len / 4 * 3 - padding;
    if (len > out_size) {
        return false;
    }
    for (size_t i = 0; i < text.len / 4; i++) {
        bool last = i + 1 == text.len / 4;
        if (!base64_decode_group(text.data + 4 * i, last ? padding : 0, out + 3 * i)) {
            return false;
        }
    }
    *out_len = len;
    return true;
}

void ed25519_generate(uint8_t private_key[ED25519_KEY_SIZE], uint8_t public_key[ED25519_KEY_SIZE]) {
    random_bytes(private_key, ED25519_KEY_SIZE);
    digest_check(ed25519_public_from_private(private_key, public_key));
}

bool ed25519_public_from_private(const uint8_t private_key[ED25519_KEY_SIZE], uint8_t public_key[ED25519_KEY_SIZE]) {
    EVP_PKEY *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, ED25519_KEY_SIZE);
    size_t len = ED25519_KEY_SIZE;
    bool worked = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &len) == 1;
    EVP_PKEY_free(key);
    return worked;
}

struct ed25519_signer {
    EVP_PKEY *key;
};

struct ed25519_signer *ed25519_signer_new(const uint8_t private_key[ED25519_KEY_SIZE]) {
    struct ed25519_signer *signer = MEM_NEW(struct ed25519_signer);
    signer->key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, private_key, ED25519_KEY_SIZE);
    return signer;
}

bool ed25519_signer_sign(const struct ed25519_signer *signer, struct str message,
                         uint8_t signature[ED25519_SIGNATURE_SIZE]) {
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    size_t len = ED25519_SIGNATURE_SIZE;
    const bool worked = signer->key != NULL && context != NULL &&
                        EVP_DigestSignInit(context, NULL, NULL, NULL, signer->key) == 1 &&
                        EVP_DigestSign(context, signature, &len, (const unsigned char *)message.data, message.len) == 1;
    EVP_MD_CTX_free(context);
    return worked;
}

void ed25519_signer_free(struct ed25519_signer *signer) {
    EVP_PKEY_free(signer->key);
    free(signer);
}

bool ed25519_sign(const uint8_t private_key[ED25519_KEY_SIZE], struct str message,
                  uint8_t signature[ED25519_SIGNATURE_SIZE]) {
    struct ed25519_signer *signer = ed25519_signer_new(private_key);
    const bool worked = ed25519_signer_sign(signer, message, signature);
    ed25519_signer_free(signer);
    return worked;
}

bool ed25519_key_is_sound(const uint8_t public_key[ED25519_KEY_SIZE]) {
    /* The y of the eight points whose order divides 8, lowest byte first; each x but 0 has two of them. */
    static const uint8_t SMALL[][ED25519_KEY_SIZE] = {
        {0x00},
        {0x01},
        {0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
         0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    };
    uint8_t y[ED25519_KEY_SIZE];
    size_t ones = 1;
    memcpy(y, public_key, sizeof(y));
    y[ED25519_KEY_SIZE - 1] &= 0x7f; /* the sign of x */
    while (ones < ED25519_KEY_SIZE - 1 && y[ones] == 0xff) {
        ones++;
    }
    if (ones == ED25519_KEY_SIZE - 1 && y[ones] == 0x7f && y[0] >= 0xed) { /* the prime is 2^255 - 19 */
        return false;
    }
    for (size_t i = 0; i < COUNT_OF(SMALL); i++) {
        if (memcmp(y, SMALL[i], sizeof(y)) == 0) {
            return false;
        }
    }
    return true;
}

bool ed25519_verify(const uint8_t public_key[ED25519_KEY_SIZE], struct str message,
                    const uint8_t signature[ED25519_SIGNATURE_SIZE]) {
    if (!ed25519_key_is_sound(public_key)) {
        return false;
    }
    EVP_PKEY *key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, ED25519_KEY_SIZE);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool valid = key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) == 1 &&
                 EVP_DigestVerify(context, signature, ED25519_SIGNATURE_SIZE, (const unsigned char *)message.data,
                                  message.len) == 1;
    EVP_MD_CTX_free(context);
    EVP_PKEY_free(key);
    return valid;
}

static int hex_value(char c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool digest_from_hex(struct str text, uint8_t *out, size_t len) {
    if (text.len != 2 * len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        const int high = hex_value(text.data[2 * i]), low = hex_value(text.data[2 * i + 1]);
        if (high < 0 || low < 0) {
            return false;
        }
        out[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}
