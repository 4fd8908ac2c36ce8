#include "api/idempotency.h"

static const struct http_header *header_find(const struct http_request *http, const char *name) {
    for (size_t i = 0; i < http->header_count; i++) {
        if (str_equal_nocase(http->headers[i].name, str_from(name))) {
            return &http->headers[i];
        }
    }
    return NULL;
}

static bool key_is_good(struct str key) {
    for (size_t i = 0; i < key.len; i++) {
        if (key.data[i] < ' ' || key.data[i] > '~') {
            return false;
        }
    }
    return key.len >= 1 && key.len <= IDEMPOTENCY_KEY_BYTES;
}

static void body_hash(const struct api_request *request, uint8_t out[DIGEST_SHA256_SIZE]) {
    enum { PATH_BYTES = 128 };
    struct {
        uint8_t body_sha256[DIGEST_SHA256_SIZE];
        char path[PATH_BYTES];
    } text = {0};
    struct str body = http_exchange_request(request->exchange)->body;
    digest_sha256(body.data, body.len, text.body_sha256);
    (void)str_copy(text.path, sizeof(text.path), str_from(request->route->path));
    digest_sha256(&text, sizeof(text), out);
}

/* `what` is the key, or the hash of the body. */
static void scope_hash(const struct auth_identity *identity, bool sdk, struct str what,
                       uint8_t out[DIGEST_SHA256_SIZE]) {
    struct {
        char account_id[STORE_ID_MAX];
        uint8_t sdk, test;
        uint8_t what_sha256[DIGEST_SHA256_SIZE];
    } text = {.sdk = sdk, .test = identity->kind == STORE_KEY_TEST};
    (void)str_copy(text.account_id, sizeof(text.account_id), str_from(identity->account_id));
    digest_sha256(what.data, what.len, text.what_sha256);
    digest_sha256(&text, sizeof(text), out);
}

bool idempotency_read(const struct api_request *request, struct idempotency *out, struct fault *fault) {
    const struct http_request *http = http_exchange_request(request->exchange);
    const struct http_header *header = header_find(http, "idempotency-key");
    uint64_t retries;
    *out = (struct idempotency){.kind = IDEMPOTENCY_NONE};
    if (header != NULL) {
        struct str key = str_trim(header->value);
        if (!key_is_good(key)) {
            fault_set_param(fault, FAULT_INVALID_REQUEST, "Idempotency-Key",
                            "Idempotency-Key must be 1 to %d printable ASCII characters.", IDEMPOTENCY_KEY_BYTES);
            return false;
        }
        out->kind = IDEMPOTENCY_KEY;
        body_hash(request, out->body_sha256);
        scope_hash(&request->identity, false, key, out->scope_sha256);
        return true;
    }
    header = header_find(http, "x-stainless-retry-count");
    if (header != NULL && str_parse_u64(str_trim(header->value), UINT32_MAX, &retries)) {
        out->kind = retries > 0 ? IDEMPOTENCY_SDK_RETRY : IDEMPOTENCY_SDK_FIRST;
        body_hash(request, out->body_sha256);
        scope_hash(&request->identity, true, (struct str){(const char *)out->body_sha256, DIGEST_SHA256_SIZE},
                   out->scope_sha256);
    }
    return true;
}
