/* Secrets a person copies: a prefix that names the kind, 32 random base62 characters and a checksum of 6, so that a cut
 * or mistyped one is refused without a look-up. Only the SHA-256 of the whole text is ever stored. */
#ifndef NATARIS_WIRE_SECRET_H
#define NATARIS_WIRE_SECRET_H

#include "base/str.h"

#include <stdbool.h>

enum {
    SECRET_RANDOM_LENGTH = 32,  /* 190 bits */
    SECRET_CHECKSUM_LENGTH = 6, /* base62 of the CRC-32 over everything before it */
    SECRET_TAIL_LENGTH = SECRET_RANDOM_LENGTH + SECRET_CHECKSUM_LENGTH,
};

/* `out` has prefix.len + SECRET_TAIL_LENGTH + 1 bytes; NUL-terminated. */
void secret_generate(struct str prefix, char *out);
/* Prefix, length, alphabet and checksum fit. Says nothing about whether it was ever issued. */
bool secret_check(struct str secret, struct str prefix);

#endif
