/* The same request twice is one call. A client names it by Idempotency-Key; of the official SDKs, which send no key but
 * x-stainless-retry-count, a call with the same body from the same account within ten minutes is the same one when it
 * says that it is a retry (api/idempotency.h reads these headers). A call holds a claim on its scope while it runs, so
 * that its twins are refused meanwhile; its answer is stored with its settlement, so that later ones get it for
 * nothing. */
#ifndef NATARIS_CALL_CLAIM_H
#define NATARIS_CALL_CLAIM_H

#include "base/compiler.h"
#include "base/digest.h"
#include "call/fault.h"
#include "net/loop.h"
#include "store/money.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    IDEMPOTENCY_KEY_BYTES = 255,
    IDEMPOTENCY_KEY_KEPT_MS = 24 * 60 * 60 * 1000,
    IDEMPOTENCY_SDK_KEPT_MS = 10 * 60 * 1000,
    IDEMPOTENCY_RUNNING_RETRY_MS = 1000,
    /* A client that goes away while its answer is being settled leaves its claim behind until the store surely has
     * it. */
    IDEMPOTENCY_LINGER_MS = 60 * 1000,
};

enum idempotency_kind {
    IDEMPOTENCY_NONE,
    IDEMPOTENCY_KEY,
    IDEMPOTENCY_SDK_FIRST, /* an SDK's first try: a new call whatever ran before, but its answer is kept for retries */
    IDEMPOTENCY_SDK_RETRY,
};

struct idempotency {
    enum idempotency_kind kind;
    uint8_t scope_sha256[DIGEST_SHA256_SIZE]; /* whose request it is: account, kind of key, and key or body */
    uint8_t body_sha256[DIGEST_SHA256_SIZE];  /* of route and body */
};
/* For how long its answer is kept. `kind` is not NONE. */
int64_t idempotency_kept_ms(enum idempotency_kind kind);
/* The 409s. */
void idempotency_set_running(struct fault *fault);
void idempotency_set_other_body(struct fault *fault);

struct claims; /* all of a gateway */
struct claims *claims_new(struct loop *loop);
void claims_free(struct claims *claims); /* only lingering ones may be left; NULL is fine */

/* Drops lingering claims whose time is over at `now_ms` (loop clock). Taking a claim does so first, which is soon
 * enough: nobody else can tell whether they are there. */
void claims_sweep(struct claims *claims, uint64_t now_ms);

/* One for all calls of a scope (an SDK's first tries may be several). */
struct claim;

/* False: `fault` is a 409, because a call of this scope is running or was another request. `asked->kind` is not
 * NONE. */
MUST_CHECK bool claim_take(struct claims *claims, const struct idempotency *asked, struct claim **out,
                           struct fault *fault);
/* The call is over: its answer is stored, or there is none. NULL is fine. */
void claim_release(struct claim *claim);
/* Before the release: the call's answer is still on its way into the store. */
void claim_linger(struct claim *claim);
/* Whether such an answer may still come: "not stored" does not mean "never ran" then. */
bool claim_lingers(const struct claim *claim);
/* The stored form of an answer under this claim, with its content; borrows it. */
struct store_answer claim_answer(const struct claim *claim, bool stream, struct str content, int64_t wall_ms);

#endif
