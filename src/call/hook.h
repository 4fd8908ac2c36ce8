/* What a call that belongs to a conversation does there. The call's owner tells it; a call without a conversation has
 * no hook. Types only. */
#ifndef NATARIS_CALL_HOOK_H
#define NATARIS_CALL_HOOK_H

#include <stdbool.h>

struct call;
struct call_hook;
struct call_result;
struct store_turn;

struct call_hook_kind {
    /* The turn to store with the settlement; it borrows from the hook and the call until `done`. False: the answer is
     * too long to be stored. */
    bool (*turn)(struct call_hook *hook, struct call *call, const struct call_result *result, struct store_turn *turn);
    /* The call has its answer, and what `turn` gave is durable. It may take itself off the call to live on. */
    void (*done)(struct call_hook *hook, struct call *call, const struct call_result *result);
    /* Before the free: who waited has gone, but the turn may be on its way into the store. */
    void (*gone)(struct call_hook *hook);
    void (*free)(struct call_hook *hook);
};

/* Stands first in a struct of the one who makes it. */
struct call_hook {
    const struct call_hook_kind *kind;
};

#endif
