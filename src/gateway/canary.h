/* Now and then an idle device is asked a question with a known answer (catalog/canary.h). On the wire it is a
 * generation like any other; it is free, in nobody's usage, goes to that device alone, and a wrong answer puts the
 * device on the review list. */
#ifndef NATARIS_GATEWAY_CANARY_H
#define NATARIS_GATEWAY_CANARY_H

#include "gateway/core_shell.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct canary; /* one question under way */

struct canaries {
    struct core_shell *shell;
    struct canary *list;
    struct loop_timer *timer; /* owned */
    bool stopped;
};

/* `every_ms` 0: never by itself. */
void canaries_init(struct canaries *canaries, struct core_shell *shell, uint32_t every_ms);
/* Also of zeros. None may be under way. */
void canaries_clear(struct canaries *canaries);
/* Asks some of the devices that are idle, one after the other as time goes by. The context is the struct canaries. */
void canaries_due(void *context);
/* Nobody waits for them: they do not hold up a stop. They fail with the core's next step, and no new one begins. */
void canaries_stop(struct canaries *canaries);

#endif
