#include "gateway/audit_outcome.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/providers.h"
#include "store/admin.h"

#include <string.h>

static void on_stands(void *context, const struct store_admin *result, const struct err *err) {
    struct core_shell *shell = context;
    if (err == NULL) {
        providers_stands(&shell->providers, &result->device);
    } else if (err->code != ERR_CONFLICT) { /* it was removed, or released, meanwhile */
        LOG_WARN_EVENT("audit.not_kept", LOG_TEXT("message", err->message));
    }
}

/* One that is past the bound gets no paid jobs any more; audits let go of none but those that audits have set aside. */
static void set_aside(struct core_shell *shell, const char *device_id, bool aside) {
    const struct gateway_provider *provider = providers_by_id(&shell->providers, device_id);
    const struct store_device *known = provider != NULL ? &provider->device : NULL;
    const bool ours = known != NULL && known->standing == STORE_STANDING_QUARANTINED &&
                      strcmp(known->standing_reason, STORE_STANDING_BY_AUDITS) == 0;
    struct store_admin action = {.kind = aside ? STORE_ADMIN_DEVICE_QUARANTINE : STORE_ADMIN_DEVICE_RELEASE,
                                 .actor = "audits",
                                 .now_ms = clock_wall_ms()};
    if (aside ? known != NULL && known->standing != STORE_STANDING_SERVING : !ours) {
        return;
    }
    (void)str_copy(action.device.id, sizeof(action.device.id), str_from(device_id));
    (void)str_copy(action.note, sizeof(action.note), str_from(aside ? STORE_STANDING_BY_AUDITS : "audits passed"));
    store_admin(shell->store, &action, on_stands, shell);
}

/* Whether something is decided by it. */
static bool decides(enum core_audit_verdict verdict) {
    return verdict == CORE_AUDIT_PASSED || verdict == CORE_AUDIT_FAILED || verdict == CORE_AUDIT_CLEARED;
}

static void tell_core(struct core_shell *shell, const char *device_id, enum core_audit_verdict verdict) {
    const struct gateway_provider *provider = providers_by_id(&shell->providers, device_id);
    struct core_loop *core = &shell->core;
    if (provider == NULL || !decides(verdict)) {
        return;
    }
    const bool passed = verdict != CORE_AUDIT_FAILED;
    core_loop_step_later(
        core,
        &(struct core_event){.kind = CORE_EVENT_AUDITED, .provider = provider->handle, .audited = {.passed = passed}});
    if (!passed) {
        core_loop_step_later(core, &(struct core_event){.kind = CORE_EVENT_REVIEW,
                                                        .provider = provider->handle,
                                                        .review = {.review = CORE_REVIEW_AUDIT}});
    }
}

/* What the book says of a device and what became of it are kept in two places, and a crash may come in between: who
 * failed and serves all the same is set aside with the next answer that leaves it so. */
static bool is_overdue(struct core_shell *shell, const char *device_id, enum core_audit_verdict verdict) {
    const struct gateway_provider *provider = providers_by_id(&shell->providers, device_id);
    return verdict == CORE_AUDIT_ALERTED && provider != NULL && provider->device.standing == STORE_STANDING_SERVING &&
           audit_book_has_failed(&shell->audit_book, device_id);
}

/* A device with several files comes back when none of them has failed any more. */
static bool is_clean(struct core_shell *shell, const struct audit_key *key) {
    const struct audit_entry *entry = audit_book_find(&shell->audit_book, key);
    return entry != NULL && entry->audit.clean >= CORE_AUDIT_NEW_PASSED &&
           !audit_book_has_failed(&shell->audit_book, key->device_id);
}

static void tell(struct core_shell *shell, const struct audit_capture *capture, enum core_audit_verdict verdict) {
    const struct audit_subject *subject = &capture->subject;
    struct network_counts *counts = &shell->counts;
    const bool fails = verdict == CORE_AUDIT_FAILED || is_overdue(shell, subject->key.device_id, verdict);
    counts->audits++;
    counts->audits_failed += verdict == CORE_AUDIT_FAILED;
    LOG_AT(fails ? LOG_WARN : LOG_INFO, "provider.audited", LOG_TEXT("provider_id", subject->key.device_id),
           LOG_TEXT("job_id", subject->generation_id), LOG_TEXT("verdict", core_audit_verdict_name(verdict)));
    tell_core(shell, subject->key.device_id, fails ? CORE_AUDIT_FAILED : verdict);
    if (fails || (verdict != CORE_AUDIT_VOID && is_clean(shell, &subject->key))) {
        set_aside(shell, subject->key.device_id, fails);
    }
}

/* The operator has let it go after the last audit, and a crash came before the book was told. */
static void catch_up(struct core_shell *shell, const char *device_id) {
    const struct gateway_provider *provider = providers_by_id(&shell->providers, device_id);
    struct audit_book *book = &shell->audit_book;
    if (provider != NULL && provider->device.standing == STORE_STANDING_SERVING &&
        audit_book_has_failed(book, device_id) &&
        provider->device.standing_ms >= audit_book_newest_ms(book, device_id)) {
        audit_book_dismiss(book, device_id);
    }
}

void audit_outcome_take(struct core_shell *shell, struct audit_capture *capture) {
    const struct audit_subject *subject = &capture->subject;
    char model[LIMIT_MODEL_ID_BYTES + 1];
    struct audit_evidence evidence = {
        .at_ms = clock_wall_ms(),
        .canary = subject->canary,
        .near = capture->score.near,
        .far = capture->score.far,
        .found = {.tokens = capture->score.tokens, .contradicts = capture->contradicts || !capture->score.spells}};
    (void)str_copy(evidence.generation_id, sizeof(evidence.generation_id), str_from(subject->generation_id));
    (void)str_copy(model, sizeof(model), capture->request.model);
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        evidence.found.ratios[i] = evidence.found.contradicts ? 0 : capture->score.ratios[i];
    }
    catch_up(shell, subject->key.device_id);
    tell(shell, capture, audit_book_add(&shell->audit_book, &subject->key, model, &evidence));
    audit_captures_forget(&shell->captures, capture);
}
