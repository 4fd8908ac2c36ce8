#include "auth/key.h"

static struct str key_prefix(enum store_key_kind kind) {
    switch (kind) {
    case STORE_KEY_LIVE:
        return STR("nat_live_");
    case STORE_KEY_TEST:
        break;
    }
    return STR("nat_test_");
}

void key_generate(enum store_key_kind kind, char out[KEY_SIZE]) {
    secret_generate(key_prefix(kind), out);
}

bool key_check(struct str key, enum store_key_kind *kind) {
    *kind = str_starts_with(key, key_prefix(STORE_KEY_TEST)) ? STORE_KEY_TEST : STORE_KEY_LIVE;
    return secret_check(key, key_prefix(*kind));
}

void key_hash(struct str key, uint8_t out[DIGEST_SHA256_SIZE]) {
    digest_sha256(key.data, key.len, out);
}
