#include "wire/webhook_signature.h"

#include "base/buf.h"
#include "base/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

void webhook_secret_format(const uint8_t key[WEBHOOK_KEY_SIZE], char out[WEBHOOK_SECRET_TEXT_SIZE]) {
    memcpy(out, "whsec_", sizeof("whsec_"));
    digest_base64_encode(key, WEBHOOK_KEY_SIZE, out + strlen("whsec_"));
}

void webhook_sign(const uint8_t key[WEBHOOK_KEY_SIZE], const char *id, int64_t timestamp_s, struct str body,
                  char out[WEBHOOK_SIGNATURE_SIZE]) {
    uint8_t mac[DIGEST_SHA256_SIZE];
    struct buf text;
    buf_init(&text, SIZE_MAX);
    buf_append_format(&text, "%s.%" PRId64 ".", id, timestamp_s);
    buf_append_str(&text, body);
    digest_hmac_sha256((struct str){.data = (const char *)key, .len = WEBHOOK_KEY_SIZE}, buf_str(&text), mac);
    buf_clear(&text);
    memcpy(out, "v1,", sizeof("v1,"));
    digest_base64_encode(mac, sizeof(mac), out + strlen("v1,"));
}
