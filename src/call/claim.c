#include "call/claim.h"

#include "api/respond.h"
#include "base/mem.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct claim {
    UT_hash_handle hh;
    struct idempotency of;
    uint32_t calls;            /* that hold it */
    uint64_t linger_until_ms;  /* loop clock; 0: it does not linger */
    struct claim *prev, *next; /* lingering ones, in the order of their ends */
};

/* --- What a request asks for --- */

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
    str_copy(text.path, sizeof(text.path), str_from(request->route->path));
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
    str_copy(text.account_id, sizeof(text.account_id), str_from(identity->account_id));
    digest_sha256(what.data, what.len, text.what_sha256);
    digest_sha256(&text, sizeof(text), out);
}

bool idempotency_read(const struct api_request *request, struct idempotency *out, struct fault *error) {
    const struct http_request *http = http_exchange_request(request->exchange);
    const struct http_header *header = header_find(http, "idempotency-key");
    uint64_t retries;
    *out = (struct idempotency){.kind = IDEMPOTENCY_NONE};
    if (header != NULL) {
        struct str key = str_trim(header->value);
        if (!key_is_good(key)) {
            fault_set(error, FAULT_INVALID_REQUEST, "Idempotency-Key must be 1 to %d printable ASCII characters.",
                      IDEMPOTENCY_KEY_BYTES);
            snprintf(error->param, sizeof(error->param), "Idempotency-Key");
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

void idempotency_set_running(struct fault *error) {
    fault_set(error, FAULT_CONFLICT,
              "The same request is still running. Retry shortly: then its answer is there, and free.");
    error->retry_after_ms = IDEMPOTENCY_RUNNING_RETRY_MS;
}

void idempotency_set_other_body(struct fault *error) {
    fault_set(error, FAULT_CONFLICT,
              "This Idempotency-Key was used for another request. Use a new key, or send the same request.");
    snprintf(error->param, sizeof(error->param), "Idempotency-Key");
}

/* --- Claims --- */

static bool may_join(const struct claim *claim, const struct idempotency *asked, struct fault *error) {
    if (asked->kind == IDEMPOTENCY_SDK_FIRST) {
        return true;
    }
    if (memcmp(claim->of.body_sha256, asked->body_sha256, sizeof(asked->body_sha256)) != 0) {
        idempotency_set_other_body(error);
        return false;
    }
    if (claim->calls > 0) {
        idempotency_set_running(error);
        return false;
    }
    return true;
}

bool claim_take(struct api *api, const struct idempotency *asked, struct claim **out, struct fault *error) {
    struct claim *claim;
    HASH_FIND(hh, api->claims, asked->scope_sha256, sizeof(asked->scope_sha256), claim);
    if (claim == NULL) {
        claim = MEM_NEW(struct claim);
        claim->of = *asked;
        HASH_ADD(hh, api->claims, of.scope_sha256, sizeof(claim->of.scope_sha256), claim);
    } else if (!may_join(claim, asked, error)) {
        return false;
    }
    claim->calls++;
    *out = claim;
    return true;
}

static void claim_remove(struct api *api, struct claim *claim) {
    assert(api->claims != NULL);
    HASH_DEL(api->claims, claim);
    free(claim);
}

void claim_release(struct api *api, struct claim *claim) {
    if (claim != NULL && --claim->calls == 0 && claim->linger_until_ms == 0) {
        claim_remove(api, claim);
    }
}

static void claim_linger_end(struct api *api, struct claim *claim) {
    DL_DELETE(api->lingering_claims, claim);
    claim->linger_until_ms = 0;
}

void claim_linger(struct api *api, struct claim *claim) {
    if (claim->linger_until_ms != 0) {
        claim_linger_end(api, claim);
    }
    claim->linger_until_ms = loop_now_ms(api->loop) + IDEMPOTENCY_LINGER_MS;
    DL_APPEND(api->lingering_claims, claim);
}

bool claim_lingers(const struct api *api, const struct claim *claim) {
    return claim->linger_until_ms > loop_now_ms(api->loop);
}

const struct idempotency *claim_of(const struct claim *claim) {
    return &claim->of;
}

void claims_sweep(struct api *api, uint64_t now_ms) {
    struct claim *claim;
    while ((claim = api->lingering_claims) != NULL && claim->linger_until_ms <= now_ms) {
        claim_linger_end(api, claim);
        if (claim->calls == 0) {
            claim_remove(api, claim);
        }
    }
}

void claims_clear(struct api *api) {
    struct claim *claim = api->claims, *next;
    HASH_CLEAR(hh, api->claims); /* the elements stay linked */
    for (; claim != NULL; claim = next) {
        assert(claim->calls == 0);
        next = claim->hh.next;
        free(claim);
    }
    api->lingering_claims = NULL;
}
