#include "core/audit.h"

#include <math.h>

enum { AUDIT_EXP_MOST = 64 }; /* beyond, a ratio says no more, and exp would overflow some day */
/* A device that cheats may do so in some answers only. Each answer is therefore held against a device that cheats in
 * one of five: exp of what it adds is 0.8 + 0.2 exp(ratio), whose mean is at most 1 under an honest device as that of
 * exp(ratio) is, so the bound means what it meant. What cheated answers have added, honest ones between them take away
 * only at log(0.8) each: else the sums of a device that cheats in one of ten are back at 0 before the next one. */
#define AUDIT_CHEATED_SHARE 0.2

static const char *const verdict_names[] = {
    [CORE_AUDIT_VOID] = "void",       [CORE_AUDIT_SHORT] = "short",   [CORE_AUDIT_PASSED] = "passed",
    [CORE_AUDIT_ALERTED] = "alerted", [CORE_AUDIT_FAILED] = "failed", [CORE_AUDIT_CLEARED] = "cleared",
};

const char *core_audit_verdict_name(enum core_audit_verdict verdict) {
    return verdict_names[verdict];
}

static double mixed(double ratio) {
    return log(1 - AUDIT_CHEATED_SHARE + AUDIT_CHEATED_SHARE * exp(ratio < AUDIT_EXP_MOST ? ratio : AUDIT_EXP_MOST));
}

/* One sum moves: from 0 up, so that good answers of long ago do not hide bad ones of now; and not farther past the
 * bound than one answer goes, so that a device can work itself back. Once it has failed there is nothing left to be
 * found: its good answers then count in full. */
static double move(double sum, double ratio, bool failed) {
    const double added = failed ? ratio : mixed(ratio);
    sum += added < CORE_AUDIT_ANSWER_MAX ? added : CORE_AUDIT_ANSWER_MAX;
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
    bool good = found->tokens > 0;
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
        audit->sums[i] = move(audit->sums[i], found->contradicts ? AUDIT_EXP_MOST : found->ratios[i], audit->failed);
    }
    const double largest = largest_sum(audit);
    if (!found->contradicts && found->tokens < CORE_AUDIT_TOKENS_MIN && largest <= CORE_AUDIT_ALERT) {
        return CORE_AUDIT_SHORT;
    }
    audit->audits++;
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

uint32_t core_audit_share(const struct core_audit *audit, const struct core_audit_terms *terms) {
    enum { ALL = 1000 * 1000 };
    const uint32_t settled = terms->permille < 1000 ? terms->permille * 1000 : ALL;
    if (settled == 0) {
        return 0;
    }
    if (audit->failed || largest_sum(audit) > CORE_AUDIT_ALERT) {
        return ALL;
    }
    if (terms->max_tokens < CORE_AUDIT_TOKENS_MIN) {
        return settled;
    }
    const uint32_t by_count = audit->passed < CORE_AUDIT_NEW_PASSED ? ALL : ALL / audit->audits;
    return settled > by_count ? settled : by_count;
}

bool core_audit_wants(const struct core_audit *audit, const struct core_audit_terms *terms, uint32_t random) {
    return random % (1000 * 1000) < core_audit_share(audit, terms);
}

void core_audit_join(double joined[CORE_AUDIT_SUMS], const double other[CORE_AUDIT_SUMS]) {
    for (int i = 0; i < CORE_AUDIT_SUMS; i++) {
        joined[i] = joined[i] < other[i] ? joined[i] : other[i];
    }
}
