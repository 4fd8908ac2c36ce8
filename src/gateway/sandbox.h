/* The sandbox behind nat_test_ keys: the scripted engine inside the gateway. Deterministic, no device, no charge. */
#ifndef NATARIS_GATEWAY_SANDBOX_H
#define NATARIS_GATEWAY_SANDBOX_H

#include "core/core.h"
#include "net/loop.h"

struct sandbox;
struct gateway_job;

/* Of the deadlines only the whole one holds here. */
struct sandbox *sandbox_new(struct loop *loop, const struct core_config *config);
/* Runs the job's call; ends it through gateway_job_end. */
void sandbox_submit(struct sandbox *sandbox, struct gateway_job *job);
/* The client has gone: the job ends as cancelled once the engine confirms. */
void sandbox_abandon(struct sandbox *sandbox, struct gateway_job *job);
void sandbox_close(struct sandbox *sandbox, void (*on_closed)(void *context), void *context);

#endif
