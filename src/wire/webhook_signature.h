/* The signatures of Standard Webhooks 1.0: "v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY". */
#ifndef NATARIS_WIRE_WEBHOOK_SIGNATURE_H
#define NATARIS_WIRE_WEBHOOK_SIGNATURE_H

#include "base/str.h"

#include <stdint.h>

enum {
    WEBHOOK_KEY_SIZE = 32,
    WEBHOOK_SECRET_TEXT_SIZE = sizeof("whsec_") + 44,
    WEBHOOK_SIGNATURE_SIZE = sizeof("v1,") + 44,
};

/* As it is shown to its owner: "whsec_" and the key in base64. */
void webhook_secret_format(const uint8_t key[WEBHOOK_KEY_SIZE], char out[WEBHOOK_SECRET_TEXT_SIZE]);
/* `timestamp_s` is in seconds since 1970. */
void webhook_sign(const uint8_t key[WEBHOOK_KEY_SIZE], const char *id, int64_t timestamp_s, struct str body,
                  char out[WEBHOOK_SIGNATURE_SIZE]);

#endif
