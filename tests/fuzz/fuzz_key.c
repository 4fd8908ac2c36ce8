/* Keys and join tokens. Property: what passes a check is of exact form, and passes no longer once a byte is changed. */
#include "auth/key.h"
#include "wire/join_token.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool passes(const char *text, size_t length) {
    enum store_key_kind kind;
    struct str secret = {.data = text, .len = length};
    return key_check(secret, &kind) || join_token_check(secret);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size == 0) {
        return 0;
    }
    /* The first byte says what the rest is: a text, or the place and the new byte of a change to a generated secret. */
    if (data[0] % 2 == 0) {
        if (passes((const char *)data + 1, size - 1) && size - 1 != KEY_SIZE - 1 && size - 1 != JOIN_TOKEN_SIZE - 1) {
            abort();
        }
        return 0;
    }
    char secret[KEY_SIZE];
    if (data[0] % 4 == 1) {
        key_generate(data[0] % 8 == 1 ? STORE_KEY_LIVE : STORE_KEY_TEST, secret);
    } else {
        join_token_generate(secret);
    }
    size_t length = strlen(secret);
    if (!passes(secret, length)) {
        abort();
    }
    if (size > 2 && secret[data[1] % length] != (char)data[2]) {
        secret[data[1] % length] = (char)data[2];
        if (passes(secret, length)) {
            abort();
        }
    }
    return 0;
}
