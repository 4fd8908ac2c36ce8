/* The shell of the core: the devices behind their links and the generations that they make, told to the core as events;
 * and what the core wants done about them, carried out. */
#ifndef NATARIS_GATEWAY_CORE_SHELL_H
#define NATARIS_GATEWAY_CORE_SHELL_H

#include "core/core.h"
#include "gateway/audit_book.h"
#include "gateway/audit_capture.h"
#include "gateway/core_loop.h"
#include "gateway/generation.h"
#include "gateway/grammar_watch.h"
#include "gateway/operator/metrics.h"
#include "gateway/operator/story.h"
#include "gateway/providers.h"
#include "net/loop.h"
#include "store/store.h"

struct core_shell {
    struct core_loop core;
    struct store *store;     /* borrowed */
    struct stories *stories; /* owned */
    struct network_counts counts;
    struct providers providers;
    struct generations generations;
    struct audit_book audit_book; /* opened by the gateway; zeroed: no audits */
    struct audit_captures captures;
    struct grammar_watch grammar_watch;
    const struct disk_floor *disk; /* borrowed; NULL: never low */
};

void core_shell_init(struct core_shell *shell, struct loop *loop, struct store *store,
                     const struct core_config *config);
/* No generation and no link is left. Also of zeros. */
void core_shell_clear(struct core_shell *shell);

#endif
