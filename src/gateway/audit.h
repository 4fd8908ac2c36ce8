/* Audits: answers of devices are scored by others that have the same file (docs/AUDITS.md). Who is asked to score,
 * when, and what follows from it; what it means is decided in core/audit.h. */
#ifndef NATARIS_GATEWAY_AUDIT_H
#define NATARIS_GATEWAY_AUDIT_H

#include "gateway/audit_book.h"
#include "gateway/audit_capture.h"
#include "gateway/core_shell.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct audit_run; /* an answer that a device has been given to score */

struct audits {
    struct core_shell *shell;
    struct audit_run *runs;
    size_t run_count;
    uint64_t next_job;
    struct loop_timer *timer; /* owned */
    bool stopped;
};

/* The shell's audit_book is open. */
void audits_init(struct audits *audits, struct core_shell *shell);
void audits_clear(struct audits *audits); /* also of zeros */
/* Gives what is ready to devices that can score it. The context is the struct audits. */
void audits_due(void *context);
/* No more of it: the gateway stops. */
void audits_stop(struct audits *audits);
/* Whether somebody could score answers of this device made with this file; `own_prompt`: of a prompt that the gateway
 * made up. */
bool audits_can_score(const struct core_shell *shell, const struct gateway_provider *device, struct str model,
                      bool own_prompt);

#endif
