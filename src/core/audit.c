#include "core/audit.h"

static const char *const verdict_names[] = {
    [CORE_AUDIT_VOID] = "void",     [CORE_AUDIT_PASSED] = "passed",   [CORE_AUDIT_ALERTED] = "alerted",
    [CORE_AUDIT_FAILED] = "failed", [CORE_AUDIT_CLEARED] = "cleared",
};

const char *core_audit_verdict_name(enum core_audit_verdict verdict) {
    return verdict_names[verdict];
}

/* One sum moves: from 0 up, so that good answers of long ago do not hide bad ones of now; and not farther past the
 * bound than one answer goes, so that a device can work itself back. */
static double move(double sum, double ratio) {
    sum += ratio < CORE_AUDIT_ANSWER_MAX ? ratio : CORE_AUDIT_ANSWER_MAX;
    if (sum < 0) {
        return 0;
    }
    return sum < CORE_AUDIT_BOUND + CORE_AUDIT_ANSWER_MAX ? sum : CORE_AUDIT_BOUND + CORE_AUDIT_ANSWER_MAX;
}

static double largest_sum(const struct core_audit *audit) {
    double largest = 0;
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        largest = audit->sums[i] > largest ? audit->sums[i] : largest;
    }
    return largest;
}

/* So written that it is false for what is no number, too. */
static bool counts(const struct core_audit_found *found) {
    bool good = found->tokens >= CORE_AUDIT_TOKENS_MIN;
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        good = good && found->ratios[i] > -1e9 && found->ratios[i] < 1e9;
    }
    return good;
}

enum core_audit_verdict core_audit_add(struct core_audit *audit, const struct core_audit_found *found) {
    if (!found->contradicts && !counts(found)) {
        return CORE_AUDIT_VOID;
    }
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        audit->sums[i] = move(audit->sums[i], found->contradicts ? CORE_AUDIT_ANSWER_MAX : found->ratios[i]);
    }
    audit->audits++;
    const double largest = largest_sum(audit);
    if (largest > CORE_AUDIT_ALERT) {
        const bool fails = largest > CORE_AUDIT_BOUND && !audit->failed;
        audit->failed = audit->failed || fails;
        audit->clean = 0;
        return fails ? CORE_AUDIT_FAILED : CORE_AUDIT_ALERTED;
    }
    audit->passed++;
    audit->clean++;
    if (audit->failed && audit->clean >= CORE_AUDIT_NEW_PASSED) {
        audit->failed = false;
        return CORE_AUDIT_CLEARED;
    }
    return CORE_AUDIT_PASSED;
}

void core_audit_dismiss(struct core_audit *audit) {
    *audit = (struct core_audit){.audits = audit->audits, .passed = audit->passed};
}

uint32_t core_audit_share(const struct core_audit *audit, uint32_t permille) {
    enum { ALL = 1000 * 1000 };
    if (permille == 0) {
        return 0;
    }
    if (audit->passed < CORE_AUDIT_NEW_PASSED || audit->failed || largest_sum(audit) > CORE_AUDIT_ALERT) {
        return ALL;
    }
    const uint32_t settled = permille < 1000 ? permille * 1000 : ALL, by_count = ALL / audit->audits;
    return settled > by_count ? settled : by_count;
}
