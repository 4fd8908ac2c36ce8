/* Join tokens: what the operator hands to the owner of a device ("join_" and a secret's tail), good until they expire
 * or are used up. */
#ifndef NATARIS_WIRE_JOIN_TOKEN_H
#define NATARIS_WIRE_JOIN_TOKEN_H

#include "base/digest.h"
#include "wire/secret.h"

enum { JOIN_TOKEN_SIZE = sizeof("join_") + SECRET_TAIL_LENGTH }; /* with the NUL */

void join_token_generate(char out[JOIN_TOKEN_SIZE]);
/* Form and checksum only. */
bool join_token_check(struct str token);
void join_token_hash(struct str token, uint8_t out[DIGEST_SHA256_SIZE]);

#endif
