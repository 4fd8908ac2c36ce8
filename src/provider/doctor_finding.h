/* What the self-test of a device finds. */
#ifndef NATARIS_PROVIDER_DOCTOR_FINDING_H
#define NATARIS_PROVIDER_DOCTOR_FINDING_H

#include "provider/provider_options.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_FAIL };
const char *doctor_level_name(enum doctor_level level); /* "ok", "warn", "fail" */

enum { DOCTOR_MESSAGE_MAX = 512 };

struct doctor_finding {
    const char
        *check; /* "folder", "key", "gateway", "tls", "clock", "upstream", "model", "memory", "disk", "limits", "job" */
    enum doctor_level level;
    char message[DOCTOR_MESSAGE_MAX];
    const char *advice; /* what to do next; NULL: nothing */
};

struct doctor {
    const struct provider_options *options; /* gateway_url may be NULL: it is not known */
    bool provider_runs;                     /* beside us: it holds memory that counts as ours */
    void (*on_finding)(void *context, const struct doctor_finding *finding);
    void *context;
    bool failed; /* of any finding so far */
};

/* For the parts of the doctor, and for commands that add checks of their own. */
void doctor_say(struct doctor *doctor, const char *check, enum doctor_level level, const char *advice,
                const char *format, ...) PRINTF_LIKE(5, 6);

#endif
