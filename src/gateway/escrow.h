/* Takes into escrow what a device has earned and is not ripe yet, when it is found at fault: step by step, so that
 * nobody waits for it (store/escrow.h). What is given credit of it, its owner cannot spend any more: the core learns of
 * that with each step. */
#ifndef NATARIS_GATEWAY_ESCROW_H
#define NATARIS_GATEWAY_ESCROW_H

#include "gateway/core_loop.h"
#include "store/store.h"

/* Ends by itself, at the latest with the store; then `done` (may be NULL). */
void escrow_take(struct core_loop *core, struct store *store, const char *device_id, void (*done)(void *context),
                 void *context);

#endif
