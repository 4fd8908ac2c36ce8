#include "call/claim.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>
#include <utlist.h>

struct claim {
    UT_hash_handle hh;
    struct claims *claims;
    struct idempotency of;
    uint32_t calls;            /* that hold it */
    uint64_t linger_until_ms;  /* loop clock; 0: it does not linger */
    struct claim *prev, *next; /* lingering ones, in the order of their ends */
};

struct claims {
    struct loop *loop;
    struct claim *by_scope;  /* uthash */
    struct claim *lingering; /* utlist */
};

int64_t idempotency_kept_ms(enum idempotency_kind kind) {
    return kind == IDEMPOTENCY_KEY ? IDEMPOTENCY_KEY_KEPT_MS : IDEMPOTENCY_SDK_KEPT_MS;
}

void idempotency_set_running(struct fault *fault) {
    fault_set(fault, FAULT_CONFLICT,
              "The same request is still running. Retry shortly: then its answer is there, and free.");
    fault->retry_after_ms = IDEMPOTENCY_RUNNING_RETRY_MS;
}

void idempotency_set_other_body(struct fault *fault) {
    fault_set_param(fault, FAULT_CONFLICT, "Idempotency-Key",
                    "This Idempotency-Key was used for another request. Use a new key, or send the same request.");
}

struct claims *claims_new(struct loop *loop) {
    struct claims *claims = MEM_NEW(struct claims);
    claims->loop = loop;
    return claims;
}

void claims_free(struct claims *claims) {
    if (claims == NULL) {
        return;
    }
    struct claim *claim = claims->by_scope, *next;
    HASH_CLEAR(hh, claims->by_scope); /* the elements stay linked */
    for (; claim != NULL; claim = next) {
        assert(claim->calls == 0);
        next = claim->hh.next;
        free(claim);
    }
    free(claims);
}

static void remove_claim(struct claim *claim) {
    assert(claim->claims->by_scope != NULL);
    HASH_DEL(claim->claims->by_scope, claim);
    free(claim);
}

static void linger_end(struct claim *claim) {
    DL_DELETE(claim->claims->lingering, claim);
    claim->linger_until_ms = 0;
}

void claims_sweep(struct claims *claims, uint64_t now_ms) {
    struct claim *claim, *next;
    DL_FOREACH_SAFE (claims->lingering, claim, next) { /* in the order in which they end */
        if (claim->linger_until_ms > now_ms) {
            return;
        }
        linger_end(claim);
        if (claim->calls == 0) {
            remove_claim(claim);
        }
    }
}

static bool may_join(const struct claim *claim, const struct idempotency *asked, struct fault *fault) {
    if (asked->kind == IDEMPOTENCY_SDK_FIRST) {
        return true;
    }
    if (memcmp(claim->of.body_sha256, asked->body_sha256, sizeof(asked->body_sha256)) != 0) {
        idempotency_set_other_body(fault);
        return false;
    }
    if (claim->calls > 0) {
        idempotency_set_running(fault);
        return false;
    }
    return true;
}

bool claim_take(struct claims *claims, const struct idempotency *asked, struct claim **out, struct fault *fault) {
    struct claim *claim;
    claims_sweep(claims, loop_now_ms(claims->loop));
    HASH_FIND(hh, claims->by_scope, asked->scope_sha256, sizeof(asked->scope_sha256), claim);
    if (claim == NULL) {
        claim = MEM_NEW(struct claim);
        claim->claims = claims;
        claim->of = *asked;
        HASH_ADD(hh, claims->by_scope, of.scope_sha256, sizeof(claim->of.scope_sha256), claim);
    } else if (!may_join(claim, asked, fault)) {
        return false;
    }
    claim->calls++;
    *out = claim;
    return true;
}

void claim_release(struct claim *claim) {
    if (claim != NULL && --claim->calls == 0 && claim->linger_until_ms == 0) {
        remove_claim(claim);
    }
}

void claim_linger(struct claim *claim) {
    struct claims *claims = claim->claims;
    if (claim->linger_until_ms != 0) {
        linger_end(claim);
    }
    claim->linger_until_ms = loop_now_ms(claims->loop) + IDEMPOTENCY_LINGER_MS;
    DL_APPEND(claims->lingering, claim);
}

bool claim_lingers(const struct claim *claim) {
    return claim->linger_until_ms > loop_now_ms(claim->claims->loop);
}

struct store_answer claim_answer(const struct claim *claim, bool stream, struct str content, int64_t wall_ms) {
    const struct idempotency *asked = &claim->of;
    struct store_answer answer = {.stream = stream,
                                  .replaces = asked->kind != IDEMPOTENCY_KEY,
                                  .spare = asked->kind != IDEMPOTENCY_KEY,
                                  .expires_ms = wall_ms + idempotency_kept_ms(asked->kind),
                                  .content = content};
    memcpy(answer.scope_sha256, asked->scope_sha256, sizeof(answer.scope_sha256));
    memcpy(answer.body_sha256, asked->body_sha256, sizeof(answer.body_sha256));
    return answer;
}
