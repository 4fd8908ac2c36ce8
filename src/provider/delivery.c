#include "provider/delivery.h"

#include "base/digest.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

struct delivery {
    uint8_t salt[RECEIPT_SALT_SIZE];
    uint32_t attempt;
    struct digest_stream *text; /* owned; NULL once it is signed */
};

struct delivery *delivery_new(const struct gen_signing *asked) {
    uint8_t salt[RECEIPT_SALT_SIZE];
    if (!digest_from_hex(asked->salt, salt, sizeof(salt))) {
        return NULL;
    }
    struct delivery *delivery = MEM_NEW(struct delivery);
    memcpy(delivery->salt, salt, sizeof(salt));
    delivery->attempt = asked->attempt;
    delivery->text = digest_stream_new();
    digest_stream_update(delivery->text, salt, sizeof(salt));
    return delivery;
}

void delivery_add(const struct delivery *delivery, struct str text) {
    if (delivery != NULL && delivery->text != NULL) {
        digest_stream_update(delivery->text, text.data, text.len);
    }
}

void delivery_sign(struct delivery *delivery, const struct ed25519_signer *signer, struct link_done *done) {
    uint8_t name[RECEIPT_NAME_SIZE], bytes[RECEIPT_SIGNED_MAX];
    if (delivery == NULL || delivery->text == NULL) {
        return;
    }
    done->claim = (struct receipt_claim){.prompt_tokens = done->usage.prompt_tokens,
                                         .completion_tokens = done->usage.completion_tokens};
    digest_stream_finish(delivery->text, done->claim.sha256);
    delivery->text = NULL;
    receipt_name(delivery->salt, name);
    const size_t len = receipt_claim_bytes(&done->claim, name, delivery->attempt, bytes);
    done->has_claim = /* or without one */
        ed25519_signer_sign(signer, (struct str){(const char *)bytes, len}, done->claim.signature);
}

void delivery_free(struct delivery *delivery) {
    uint8_t unused[DIGEST_SHA256_SIZE];
    if (delivery != NULL && delivery->text != NULL) {
        digest_stream_finish(delivery->text, unused);
    }
    free(delivery);
}
