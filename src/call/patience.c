#include "call/patience.h"

static uint64_t wait_of(const struct fault *fault, uint64_t least_ms) {
    const uint64_t wait = fault->retry_after_ms > least_ms ? fault->retry_after_ms : least_ms;
    return wait < PATIENCE_MAX_MS ? wait : PATIENCE_MAX_MS;
}

void patience_pause(struct patience *patience, uint64_t now_ms, uint64_t wait_ms) {
    patience->not_before_ms = now_ms + wait_ms;
}

static enum patience_verdict after_refusal(struct patience *patience, const struct patience_terms *terms,
                                           uint64_t now_ms, enum patience_verdict verdict) {
    patience->since_ms = patience->since_ms != 0 ? patience->since_ms : now_ms;
    return now_ms < patience->since_ms + terms->refusals_ms ? verdict : PATIENCE_OVER;
}

enum patience_verdict patience_after(struct patience *patience, const struct patience_terms *terms,
                                     const struct fault *fault, uint64_t now_ms) {
    patience->waits_for = waiting_after(fault);
    if (fault->code == FAULT_RATE_LIMIT_EXCEEDED) {
        patience_pause(patience, now_ms, wait_of(fault, PATIENCE_MIN_MS));
        return after_refusal(patience, terms, now_ms, PATIENCE_LIMITED);
    }
    if (fault->code == FAULT_MODEL_WARMING || fault->code == FAULT_MODEL_UNAVAILABLE ||
        fault->code == FAULT_NO_MATCHING_PROVIDER) {
        /* Sooner, when a device has it sooner than was thought; nobody is expected for an unavailable one, but devices
         * come and go. */
        bool expected = fault->code == FAULT_MODEL_WARMING || fault->retry_after_ms > 0;
        patience_pause(patience, now_ms, PATIENCE_MIN_MS);
        patience->warm_by_ms = now_ms + (expected ? wait_of(fault, 4 * PATIENCE_MIN_MS) : PATIENCE_MAX_MS);
        return after_refusal(patience, terms, now_ms, PATIENCE_WAITS);
    }
    if (fault->code == FAULT_REQUEST_TIMEOUT || fault->code == FAULT_UNAVAILABLE) {
        patience_pause(patience, now_ms, wait_of(fault, (uint64_t)PATIENCE_MIN_MS << (2 * patience->tries)));
        return ++patience->tries < terms->tries_max ? PATIENCE_WAITS : PATIENCE_OVER;
    }
    return PATIENCE_OVER;
}

bool patience_is_due(const struct patience *patience, const struct calls *calls, struct str model) {
    const uint64_t now_ms = loop_now_ms(calls->loop);
    return now_ms >= patience->not_before_ms && (now_ms >= patience->warm_by_ms || calls_model_is_warm(calls, model));
}
