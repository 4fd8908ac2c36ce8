#include "api/gate.h"

#include "api/headers.h"
#include "call/failure.h"

#include <string.h>

enum { DISK_RETRY_MS = 30 * 1000 };

static bool refuse_guesser(const struct api_request *request, struct fault *fault) {
    const uint64_t wait_ms = http_exchange_key_wait_ms(request->exchange);
    if (wait_ms == 0) {
        return false;
    }
    fault_set(fault, FAULT_RATE_LIMIT_EXCEEDED,
              "Your address has sent too many wrong API keys in a minute. Send a key of this network.");
    fault->retry_after_ms = wait_ms;
    http_exchange_close_after(request->exchange);
    return true;
}

bool gate_may_try_key(const struct api_request *request, struct str authorization, struct fault *fault) {
    return authorization.len == 0 || http_exchange_key_wait_ms(request->exchange) == 0 ||
           auth_may_know(request->api->calls->auth, authorization) || !refuse_guesser(request, fault);
}

/* No key at all is no wrong one: it costs nothing to say so. */
void gate_key_failed(const struct api_request *request, const struct err *err, struct fault *fault) {
    fault_from_err(fault, err);
    if (err->code == ERR_DENIED && headers_have_key(http_exchange_request(request->exchange))) {
        http_exchange_key_failed(request->exchange);
    }
}

void gate_disk_low(struct fault *fault) {
    fault_set(fault, FAULT_UNAVAILABLE,
              "The network's disk is nearly full, so nothing new is taken on. Reading and deleting go on. Try again "
              "later; its operator makes room.");
    fault->retry_after_ms = DISK_RETRY_MS;
}

static bool ends_with(const char *path, const char *end) {
    const size_t length = strlen(path), tail = strlen(end);
    return length >= tail && strcmp(path + length - tail, end) == 0;
}

/* Whether something would be stored for it. */
static bool route_stores(const struct route *route) {
    return (strcmp(route->method, "POST") == 0 || strcmp(route->method, "PATCH") == 0) &&
           !ends_with(route->path, "/estimate") && !ends_with(route->path, "/count_tokens") &&
           !ends_with(route->path, "/cancel");
}

/* What the body could not change: something new of a suspended account, or a generation of one that has used up its
 * minute. An answer that is stored already may be asked for all the same, and what there is may be read and deleted. A
 * generation whose body is here is asked about when it is admitted. */
static bool enter_account(const struct api_request *request, struct fault *fault) {
    const struct call_backend *backend = &request->api->calls->backend;
    const bool generates = request->route->format != NULL;
    const bool stored = http_request_header(http_exchange_request(request->exchange), "idempotency-key").len > 0;
    struct core_account_view view;
    if (!route_stores(request->route) || (generates && (stored || !request->at_head)) ||
        !backend->account_view(backend->context, &request->identity, &view)) {
        return true;
    }
    if (view.suspended) {
        failure_suspended(fault);
        return false;
    }
    if (generates && view.wait_ms > 0 && !request_is_test(request)) {
        failure_rate(view.wait_ms, fault);
        return false;
    }
    return true;
}

/* Each request counts, whatever becomes of it: also one that is refused costs a look. */
static bool enter_rate(const struct api_request *request, struct fault *fault) {
    const struct api_backend *backend = &request->api->backend;
    const uint64_t wait_ms = backend->call_wait_ms(backend->context, &request->identity);
    if (wait_ms > 0) {
        fault_set(fault, FAULT_RATE_LIMIT_EXCEEDED,
                  "Your account sends more requests than its tier allows in a minute, of all kinds together. Retry "
                  "after %llu ms.",
                  (unsigned long long)wait_ms);
        fault->retry_after_ms = wait_ms;
    }
    return wait_ms == 0;
}

static bool enter_disk(const struct api_request *request, struct fault *fault) {
    const bool refused = route_stores(request->route) && calls_disk_is_low(request->api->calls);
    if (refused) {
        gate_disk_low(fault);
    }
    return !refused;
}

bool gate_enter(const struct api_request *request, struct fault *fault) {
    if (!http_exchange_own(request->exchange, request->identity.account_number)) {
        fault_set(
            fault, FAULT_RATE_LIMIT_EXCEEDED,
            "Your account has too many bytes of request bodies here that are not answered yet. Wait for answers.");
        return false;
    }
    return enter_rate(request, fault) && enter_disk(request, fault) && enter_account(request, fault);
}
