/* The sandbox behind nat_test_ keys: the scripted engine inside the gateway, with money and a count of its own. Deterministic,
 * no device, no charge; texts in the request call up every error (docs/SANDBOX.md). */
#ifndef NATARIS_GATEWAY_SANDBOX_SANDBOX_H
#define NATARIS_GATEWAY_SANDBOX_SANDBOX_H

#include "core/core.h"
#include "net/loop.h"
#include "store/usage.h"

struct auth_identity;
struct fault;
struct sandbox;
struct gateway_job;

/* Of the deadlines only the whole one holds here. */
struct sandbox *sandbox_new(struct loop *loop, const struct core_config *config);
/* Runs the job's call; ends it through gateway_job_end. */
void sandbox_submit(struct sandbox *sandbox, struct gateway_job *job);
/* Every call under way fails with this error. */
void sandbox_stop(struct sandbox *sandbox, const struct fault *error);
/* The client has gone: the job ends as cancelled once the engine confirms. */
void sandbox_abandon(struct sandbox *sandbox, struct gateway_job *job);
/* What an account has and used there; the models are good until the next call of this module. */
void sandbox_usage(struct sandbox *sandbox, const struct auth_identity *identity, struct store_usage *usage);
void sandbox_close(struct sandbox *sandbox, void (*on_closed)(void *context), void *context);

#endif
