/* Hashes and encodings (OpenSSL). */
#ifndef NATARIS_BASE_DIGEST_H
#define NATARIS_BASE_DIGEST_H

#include "base/compiler.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { DIGEST_SHA256_SIZE = 32, DIGEST_SHA1_SIZE = 20, DIGEST_HEX_SIZE = 65 };

void digest_sha256(const void *data, size_t len, uint8_t out[DIGEST_SHA256_SIZE]);
void digest_sha1(const void *data, size_t len, uint8_t out[DIGEST_SHA1_SIZE]); /* for the WebSocket handshake only */
void digest_hmac_sha256(struct str key, struct str message, uint8_t out[DIGEST_SHA256_SIZE]); /* RFC 2104 */
/* From 2 * len hexadecimal digits, small ones; false: it is none. */
MUST_CHECK bool digest_from_hex(struct str text, uint8_t *out, size_t len);
void digest_hex(const uint8_t *bytes, size_t len, char *out); /* out has 2 * len + 1 bytes */
bool digest_equal(const void *a, const void *b, size_t len);  /* constant time */
uint32_t digest_crc32(const void *data, size_t len);          /* IEEE 802.3, for checksums in keys */

/* Running SHA-256, for files hashed while they are written. */
struct digest_stream;
struct digest_stream *digest_stream_new(void);
void digest_stream_update(struct digest_stream *stream, const void *data, size_t len);
/* The hash of what has come so far; more may follow. */
void digest_stream_peek(const struct digest_stream *stream, uint8_t out[DIGEST_SHA256_SIZE]);
void digest_stream_finish(struct digest_stream *stream, uint8_t out[DIGEST_SHA256_SIZE]); /* ends the stream */

/* Standard base64 with padding. Encode: out has 4 * ((len + 2) / 3) + 1 bytes. */
void digest_base64_encode(const void *data, size_t len, char *out);
/* Strict decode; false when malformed or larger than out_size. */
MUST_CHECK bool digest_base64_decode(struct str text, uint8_t *out, size_t out_size, size_t *out_len);

/* Ed25519 (RFC 8032). Private keys are the 32-byte seed. */
enum { ED25519_KEY_SIZE = 32, ED25519_SIGNATURE_SIZE = 64 };
void ed25519_generate(uint8_t private_key[ED25519_KEY_SIZE], uint8_t public_key[ED25519_KEY_SIZE]);
MUST_CHECK bool ed25519_public_from_private(const uint8_t private_key[ED25519_KEY_SIZE],
                                            uint8_t public_key[ED25519_KEY_SIZE]);
MUST_CHECK bool ed25519_sign(const uint8_t private_key[ED25519_KEY_SIZE], struct str message,
                             uint8_t signature[ED25519_SIGNATURE_SIZE]);
/* A private key that signs many times: what follows from it is worked out once, which takes as long as a signature. */
struct ed25519_signer;
/* Never NULL: a key that cannot be used is told by each sign. */
struct ed25519_signer *ed25519_signer_new(const uint8_t private_key[ED25519_KEY_SIZE]);
MUST_CHECK bool ed25519_signer_sign(const struct ed25519_signer *signer, struct str message,
                                    uint8_t signature[ED25519_SIGNATURE_SIZE]);
void ed25519_signer_free(struct ed25519_signer *signer);
/* Whether a public key may stand for anybody: false for the points of small order, under which signatures can be made
 * that are good for many messages and by nobody's secret, and for a y that is not below the field's prime, since one
 * point must not have two names (RFC 8032 5.1.3; Chalkias, Garillot, Nikolaenko: "Taming the many EdDSAs", 2020).
 * Whether it is a point at all is seen when it verifies. */
MUST_CHECK bool ed25519_key_is_sound(const uint8_t public_key[ED25519_KEY_SIZE]);
/* False for keys that are not sound, too. */
MUST_CHECK bool ed25519_verify(const uint8_t public_key[ED25519_KEY_SIZE], struct str message,
                               const uint8_t signature[ED25519_SIGNATURE_SIZE]);

#ifdef __cplusplus
}
#endif
#endif
