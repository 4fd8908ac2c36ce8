/* API keys: "nat_live_" or "nat_test_" and a secret's tail (wire/secret.h). Shown once, stored only as SHA-256. */
#ifndef NATARIS_AUTH_KEY_H
#define NATARIS_AUTH_KEY_H

#include "base/digest.h"
#include "store/accounts.h"
#include "wire/secret.h"

enum { KEY_SIZE = sizeof("nat_live_") + SECRET_TAIL_LENGTH }; /* with the NUL; both prefixes are of one length */

void key_generate(enum store_key_kind kind, char out[KEY_SIZE]);
/* Form and checksum only, no look-up; `kind` is set when true. */
bool key_check(struct str key, enum store_key_kind *kind);
void key_hash(struct str key, uint8_t out[DIGEST_SHA256_SIZE]);

#endif
