/* What follows when an answer has been scored: it goes into the book, the core is told, and the device is set aside, or
 * comes back. */
#ifndef NATARIS_GATEWAY_AUDIT_OUTCOME_H
#define NATARIS_GATEWAY_AUDIT_OUTCOME_H

#include "gateway/audit_capture.h"
#include "gateway/core_shell.h"

/* Takes one of the shell's ready captures, with its score, or that contradicts itself; it is forgotten. */
void audit_outcome_take(struct core_shell *shell, struct audit_capture *capture);

#endif
