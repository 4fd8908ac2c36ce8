#include "call/calls.h"

#include "base/json_read.h"
#include "base/mem.h"
#include "call/claim.h"
#include "tokens/learned.h"

#include <assert.h>
#include <stdlib.h>

struct calls *calls_new(struct loop *loop, struct auth *auth, struct store *store, const struct call_backend *backend) {
    struct calls *calls = MEM_NEW(struct calls);
    calls->loop = loop;
    calls->auth = auth;
    calls->store = store;
    calls->backend = *backend;
    calls->parser = json_parser_new(LIMIT_HTTP_BODY_BYTES, LIMIT_JSON_DEPTH);
    calls->claims = claims_new(loop);
    calls->learned = tokens_learned_new();
    prefix_key_init(&calls->prefix_key);
    return calls;
}

void calls_free(struct calls *calls) {
    if (calls == NULL) {
        return;
    }
    assert(calls_count(calls) == 0 && calls->starter == NULL);
    claims_free(calls->claims);
    tokens_learned_free(calls->learned);
    json_parser_free(calls->parser);
    free(calls);
}

size_t calls_count(const struct calls *calls) {
    return calls->count + calls->pending;
}

const struct executor *calls_executor(const struct calls *calls, const struct auth_identity *identity) {
    return identity->kind == STORE_KEY_TEST ? calls->backend.sandbox : calls->backend.devices;
}

bool calls_disk_is_low(const struct calls *calls) {
    return calls->backend.disk_low != NULL && calls->backend.disk_low(calls->backend.context);
}

bool calls_model_is_warm(const struct calls *calls, struct str model) {
    uint32_t context_length;
    return calls->backend.availability(calls->backend.context, model, &context_length) == CORE_MODEL_AVAILABLE;
}
