/* Between the link and the engines: jobs go in, what the engines say goes out, and the gateway is told how the device
 * is doing. */
#ifndef NATARIS_PROVIDER_AGENT_H
#define NATARIS_PROVIDER_AGENT_H

#include "link/client.h"
#include "provider/control.h"
#include "provider/hosted_model.h"

#include <stdbool.h>

struct agent;

struct agent_events {
    /* A model's state changed; `why` as in hosted_model_events. The gateway has been told. */
    void (*on_model)(void *context, const struct err *why);
    /* The gateway refused this device for good. */
    void (*on_refused)(void *context, const char *reason);
    /* Draining, and no job is left. */
    void (*on_drained)(void *context);
};

/* Connects at once; errors as of link_client_new. `guard` is borrowed and
 * outlives the agent. */
MUST_CHECK bool agent_new(struct agent **out, struct loop *loop, const struct link_client_config *link,
                          struct owner_guard *guard, const struct agent_events *events, void *context, struct err *err);
/* Starts hosting a model. At most LIMIT_LINK_MODELS, their ids all different (the caller sees to it). */
void agent_add_model(struct agent *agent, const struct hosted_model_spec *spec,
                     const struct hosted_model_options *options);
/* See model_set_add_first_of. */
void agent_add_first_of(struct agent *agent, const struct hosted_model_spec *specs, size_t count,
                        const struct hosted_model_options *options);
/* From now on models that the gateway says are in demand may be fetched and loaded; `options` of such a model. */
void agent_allow_wants(struct agent *agent, const struct hosted_model_options *options);
/* True when every model is hopeless (hosted_model.h), and none may come. */
bool agent_models_hopeless(const struct agent *agent);
/* Tells the gateway and takes no more jobs. on_drained follows, also when no job runs, never inside this call. */
void agent_drain(struct agent *agent);
/* The guard has seen a change: the gateway is told, and jobs are handed back if they may not go on. */
void agent_limits_changed(struct agent *agent);
/* Everything of the view but gateway and name. `models` has room for LIMIT_LINK_MODELS. */
void agent_describe(const struct agent *agent, struct control_view *view, struct link_model *models);
/* Closes link and models, frees the agent, then on_closed; no other event after this call. */
void agent_close(struct agent *agent, void (*on_closed)(void *context), void *context);

#endif
