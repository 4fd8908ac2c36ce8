#include "wire/secret.h"

#include "base/digest.h"
#include "base/random.h"

#include <string.h>

static bool secret_is_base62(char c) {
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* Most significant digit first; 62^6 is more than 2^32, so six digits always hold it. */
static void secret_checksum(const char *text, size_t length, char out[SECRET_CHECKSUM_LENGTH]) {
    static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    uint32_t crc = digest_crc32(text, length);
    for (size_t i = SECRET_CHECKSUM_LENGTH; i > 0; i--) {
        out[i - 1] = digits[crc % (sizeof(digits) - 1)];
        crc /= sizeof(digits) - 1;
    }
}

void secret_generate(struct str prefix, char *out) {
    size_t length = prefix.len + SECRET_RANDOM_LENGTH;
    memcpy(out, prefix.data, prefix.len);
    random_base62(out + prefix.len, SECRET_RANDOM_LENGTH);
    secret_checksum(out, length, out + length);
    out[length + SECRET_CHECKSUM_LENGTH] = '\0';
}

bool secret_check(struct str secret, struct str prefix) {
    if (secret.len != prefix.len + SECRET_TAIL_LENGTH || !str_starts_with(secret, prefix)) {
        return false;
    }
    for (size_t i = prefix.len; i < secret.len; i++) {
        if (!secret_is_base62(secret.data[i])) {
            return false;
        }
    }
    char checksum[SECRET_CHECKSUM_LENGTH];
    size_t length = secret.len - SECRET_CHECKSUM_LENGTH;
    secret_checksum(secret.data, length, checksum);
    return digest_equal(checksum, secret.data + length, sizeof(checksum));
}
