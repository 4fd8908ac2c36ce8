#include "wire/join_token.h"

void join_token_generate(char out[JOIN_TOKEN_SIZE]) {
    secret_generate(STR("join_"), out);
}

bool join_token_check(struct str token) {
    return secret_check(token, STR("join_"));
}

void join_token_hash(struct str token, uint8_t out[DIGEST_SHA256_SIZE]) {
    digest_sha256(token.data, token.len, out);
}
