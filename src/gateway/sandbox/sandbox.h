/* The sandbox behind nat_test_ keys: the scripted engine inside the gateway, with money and a count of its own.
 * Deterministic, no device, no charge; what a call adds to its conversation is stored before its client is answered;
 * texts in the request call up every error (docs/SANDBOX.md). It is an executor of calls. */
#ifndef NATARIS_GATEWAY_SANDBOX_SANDBOX_H
#define NATARIS_GATEWAY_SANDBOX_SANDBOX_H

#include "call/call.h"
#include "core/core.h"
#include "net/loop.h"
#include "store/usage.h"

struct sandbox;

/* Of the deadlines only the whole one holds here. */
struct sandbox *sandbox_new(struct loop *loop, const struct core_config *config);
/* Opens its engine; calls may come from then on. */
void sandbox_start(struct sandbox *sandbox);
/* One that was never started; NULL is fine. */
void sandbox_free(struct sandbox *sandbox);
/* Frees one that was started; `on_closed` is called later, when the store, too, has answered all it was asked. */
void sandbox_close(struct sandbox *sandbox, void (*on_closed)(void *context), void *context);
const struct executor *sandbox_executor(const struct sandbox *sandbox);
/* Every call under way fails with this, but for those of which the turn is on its way into the store. */
void sandbox_stop(struct sandbox *sandbox, const struct fault *fault);
/* Calls that it has not settled yet. */
size_t sandbox_count(const struct sandbox *sandbox);
/* What an account has and used there; the models are good until the next call of this module. */
void sandbox_usage(struct sandbox *sandbox, const struct auth_identity *identity, struct store_usage *usage);

#endif
