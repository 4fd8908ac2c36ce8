/* What the core, devices and engines failed with, in the words of faults. */
#ifndef NATARIS_CALL_FAILURE_H
#define NATARIS_CALL_FAILURE_H

#include "call/fault.h"
#include "core/core.h"
#include "wire/generation.h"

/* Of a FAIL effect of this request. The words are always ours: nothing that a device says reaches a client but the name
 * of a member that there is. */
void failure_from_core(const struct core_effect *effect, const struct gen_request *request, struct fault *out);
/* Of the sandbox's engine; `message` and `param` may be NULL. */
void failure_from_engine(enum gen_failure failure, const char *message, const char *param, struct fault *out);
/* The account is suspended. */
void failure_suspended(struct fault *out);
/* The account has used up its requests of a minute, and may send the next in so long. */
void failure_rate(uint64_t wait_ms, struct fault *out);
/* A plain answer over LIMIT_ANSWER_BYTES. */
void failure_too_long(struct fault *out);
/* Nobody can tell whether the answer was settled. */
void failure_in_doubt(struct fault *out);
/* The gateway stops before this call could end. */
void failure_stopped(struct fault *out);

#endif
