/* Audits: what the scores of a device's answers come to (docs/AUDITS.md). Four sums that are kept from falling below 0
 * (CUSUM) for each device and file of a model, a bound, and how often a job is looked at. Pure. */
#ifndef NATARIS_CORE_AUDIT_H
#define NATARIS_CORE_AUDIT_H

#include <stdbool.h>
#include <stdint.h>

enum {
    CORE_AUDIT_SUMS = 4,
    CORE_AUDIT_TOKENS_MIN = 8,  /* an answer of fewer moves the sums, but nothing is passed by it */
    CORE_AUDIT_NEW_PASSED = 10, /* a device is new until it has passed so many: each of its jobs is looked at */
};
/* An answer adds at most so much to a sum; past the bound ln(4 / 1e-5) the device is set aside; above ALERT each job is
 * looked at. */
#define CORE_AUDIT_ANSWER_MAX 8.0
#define CORE_AUDIT_BOUND 12.9
#define CORE_AUDIT_ALERT 4.0

struct core_audit { /* of one device and one file; zeroed: nothing is known */
    double sums[CORE_AUDIT_SUMS];
    uint32_t audits; /* that counted */
    uint32_t passed; /* of these, those after which no sum was above the alert */
    uint32_t clean;  /* passed in a row */
    bool failed;     /* past the bound, and not yet cleared */
};

/* What one audit found. */
struct core_audit_found {
    uint32_t tokens; /* that were scored */
    /* The device's own words contradict each other: ids that do not spell the text, or an end by length before
     * max_tokens. As bad as an answer can be. */
    bool contradicts;
    double ratios[CORE_AUDIT_SUMS]; /* of the whole answer */
};

enum core_audit_verdict {
    CORE_AUDIT_VOID,    /* no numbers */
    CORE_AUDIT_SHORT,   /* too short to be passed, and no sum is above the alert */
    CORE_AUDIT_PASSED,  /* no sum is above the alert */
    CORE_AUDIT_ALERTED, /* some sum is */
    CORE_AUDIT_FAILED,  /* this audit took a sum past the bound */
    CORE_AUDIT_CLEARED, /* it had failed, and has passed enough since: CORE_AUDIT_NEW_PASSED in a row */
};
const char *core_audit_verdict_name(enum core_audit_verdict verdict); /* "void", "passed", ... */

enum core_audit_verdict core_audit_add(struct core_audit *audit, const struct core_audit_found *found);
/* The operator dismisses what was found: the sums begin anew, what was passed counts. */
void core_audit_dismiss(struct core_audit *audit);
struct core_audit_terms {
    uint32_t permille; /* the operator's setting for devices that are known and above suspicion; 0: no audits at all */
    uint32_t max_tokens; /* of the request: a short answer makes no device known, so it is no reason to look at each */
};
/* Of how many millionths of the device's jobs an audit is to be made. */
uint32_t core_audit_share(const struct core_audit *audit, const struct core_audit_terms *terms);
/* Whether this job is to be audited; `random`: any number, evenly spread. */
bool core_audit_wants(const struct core_audit *audit, const struct core_audit_terms *terms, uint32_t random);
/* Two that do not trust each other have scored the same answer: what is worse for the device counts as far as both have
 * found it. */
void core_audit_join(double joined[CORE_AUDIT_SUMS], const double other[CORE_AUDIT_SUMS]);

#endif
