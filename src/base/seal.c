#include "base/seal.h"

#include "base/random.h"

#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

enum { SEAL_NONCE_SIZE = 12, SEAL_TAG_SIZE = SEAL_EXTRA - SEAL_NONCE_SIZE };

static EVP_CIPHER_CTX *seal_begin(const uint8_t *key, const uint8_t *nonce, bool encrypt) {
    EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
    if (context == NULL || EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, nonce, encrypt) != 1) {
        abort(); /* out of memory, or an OpenSSL without AES */
    }
    return context;
}

void seal_text(const uint8_t key[SEAL_KEY_SIZE], struct str text, uint8_t *out) {
    uint8_t *body = out + SEAL_NONCE_SIZE;
    int written = 0, rest = 0;
    random_bytes(out, SEAL_NONCE_SIZE);
    EVP_CIPHER_CTX *context = seal_begin(key, out, true);
    if (text.len > INT_MAX ||
        (text.len > 0 && EVP_EncryptUpdate(context, body, &written, (const uint8_t *)text.data, (int)text.len) != 1) ||
        EVP_EncryptFinal_ex(context, body + written, &rest) != 1 ||
        EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, SEAL_TAG_SIZE, body + text.len) != 1) {
        abort(); /* as above; nothing here depends on the text */
    }
    EVP_CIPHER_CTX_free(context);
}

bool seal_open(const uint8_t key[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length) {
    const uint8_t *nonce = (const uint8_t *)sealed.data;
    uint8_t tag[SEAL_TAG_SIZE];
    int written = 0, rest = 0;
    *length = 0;
    if (sealed.len < SEAL_EXTRA || sealed.len > INT_MAX) {
        return false;
    }
    const size_t size = sealed.len - SEAL_EXTRA;
    const uint8_t *body = nonce + SEAL_NONCE_SIZE;
    memcpy(tag, body + size, sizeof(tag));
    EVP_CIPHER_CTX *context = seal_begin(key, nonce, false);
    bool good = (size == 0 || EVP_DecryptUpdate(context, (uint8_t *)out, &written, body, (int)size) == 1) &&
                EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, sizeof(tag), tag) == 1 &&
                EVP_DecryptFinal_ex(context, (uint8_t *)out + written, &rest) == 1;
    EVP_CIPHER_CTX_free(context);
    *length = good ? size : 0;
    return good;
}
