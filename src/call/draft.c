#include "call/draft.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "store/quota.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { ANSWERS_RETRY_MS = 60 * 1000 }; /* of an account with as many stored answers as it may have */

struct draft_wait {
    struct draft *draft; /* NULL once it is gone */
};

/* --- From stage to stage --- */

void draft_go_on(struct draft *draft, enum draft_step step) {
    while (step == DRAFT_ON) {
        draft->stage++;
        assert(draft->stage->enter != NULL); /* the last stage ends the draft */
        step = draft->stage->enter(draft);
    }
}

void draft_run(struct draft *draft, const struct draft_stage *stages) {
    draft->stage = stages;
    draft_go_on(draft, stages->enter(draft));
}

/* Ends what it holds. */
static void drop(struct draft *draft) {
    claim_release(draft->claim);
    draft->claim = NULL;
    if (draft->hook != NULL) {
        draft->hook->kind->free(draft->hook);
        draft->hook = NULL;
    }
}

enum draft_step draft_refuse(struct draft *draft, const struct fault *fault) {
    drop(draft);
    draft->owner->refuse(draft, fault);
    return DRAFT_OVER;
}

/* --- Waiting --- */

struct draft_wait *draft_wait_begin(struct draft *draft) {
    struct draft_wait *wait = MEM_NEW(struct draft_wait);
    assert(draft->wait == NULL);
    wait->draft = draft;
    draft->wait = wait;
    draft->calls->pending++;
    return wait;
}

static void wait_over(struct draft *draft) {
    draft->calls->pending--;
    draft->wait = NULL;
}

struct draft *draft_wait_end(struct draft_wait *wait) {
    struct draft *draft = wait->draft;
    free(wait);
    if (draft != NULL) {
        wait_over(draft);
    }
    return draft;
}

void draft_gone(struct draft *draft) {
    if (draft->wait != NULL) {
        draft->wait->draft = NULL;
        wait_over(draft);
        if (draft->stage->gone != NULL) {
            draft->stage->gone(draft);
        }
    }
    drop(draft);
}

/* --- Did it run before? --- */

enum draft_step draft_claim(struct draft *draft) {
    struct fault fault;
    if (draft->idempotency.kind == IDEMPOTENCY_NONE ||
        claim_take(draft->calls->claims, &draft->idempotency, &draft->claim, &fault)) {
        return DRAFT_ON;
    }
    return draft_refuse(draft, &fault);
}

static enum draft_step stored_step(struct draft *draft, const struct store_answer *answer, const struct err *err) {
    struct fault fault;
    if (err != NULL && store_quota_is_past(err)) {
        /* Its answer could not be kept, so it would not be the same request for whoever asks again. */
        fault_set(&fault, FAULT_RATE_LIMIT_EXCEEDED, "%s.", err->message);
        fault.retry_after_ms = ANSWERS_RETRY_MS;
        return draft_refuse(draft, &fault);
    }
    if (err != NULL) {
        /* Without an answer to "did it run before?" it must not run. */
        LOG_WARN_EVENT("api.answer_unknown", LOG_TEXT("request_id", draft->request_id),
                       LOG_TEXT("error", err->message));
        fault_set(&fault, FAULT_UNAVAILABLE, "Whether this request ran before cannot be told now. Retry shortly.");
        return draft_refuse(draft, &fault);
    }
    if (answer == NULL && claim_lingers(draft->claim)) {
        idempotency_set_running(&fault);
        return draft_refuse(draft, &fault);
    }
    if (answer == NULL) {
        return DRAFT_ON;
    }
    if (memcmp(answer->body_sha256, draft->idempotency.body_sha256, sizeof(answer->body_sha256)) != 0) {
        idempotency_set_other_body(&fault);
        return draft_refuse(draft, &fault);
    }
    drop(draft);
    draft->owner->replay(draft, answer);
    return DRAFT_OVER;
}

static void on_stored(void *context, const struct store_answer *answer, const struct err *err) {
    struct draft *draft = draft_wait_end(context);
    if (draft != NULL) {
        draft_go_on(draft, stored_step(draft, answer, err));
    }
}

/* The sandbox stores nothing, and a new call of an SDK does not care what ran before. */
static bool may_be_stored(const struct draft *draft) {
    const enum idempotency_kind kind = draft->idempotency.kind;
    return draft->identity->kind == STORE_KEY_LIVE && (kind == IDEMPOTENCY_KEY || kind == IDEMPOTENCY_SDK_RETRY);
}

enum draft_step draft_look_stored(struct draft *draft) {
    if (!may_be_stored(draft)) {
        return DRAFT_ON;
    }
    store_answer_find(draft->calls->store, draft->idempotency.scope_sha256, draft->identity->account_id,
                      clock_wall_ms(), on_stored, draft_wait_begin(draft));
    return DRAFT_WAITS;
}
