/* Texts that can be made unreadable at once: sealed under a key of their own (AES-256-GCM), they are gone when the key
 * is. A database moves rows about and leaves copies of them in its pages, so overwriting each text would not do. */
#ifndef NATARIS_BASE_SEAL_H
#define NATARIS_BASE_SEAL_H

#include "base/compiler.h"
#include "base/str.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    SEAL_KEY_SIZE = 32,
    SEAL_EXTRA = 12 + 16, /* a random nonce before the text, the tag behind it */
};

/* `out` has room for text.len + SEAL_EXTRA bytes. Ends the process where OpenSSL has no memory, as mem_alloc does. */
void seal_text(const uint8_t key[SEAL_KEY_SIZE], struct str text, uint8_t *out);
/* `out` has room for sealed.len bytes; *length is that of the text. False: another key, or the bytes were changed. */
MUST_CHECK bool seal_open(const uint8_t key[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length);

#endif
