/* A small OpenAI-compatible server on a loop and a thread of its own, whose answers the scripted engine makes: what the
 * upstream engine is tested against. */
#ifndef NATARIS_TESTS_SUPPORT_UPSTREAM_HOST_H
#define NATARIS_TESTS_SUPPORT_UPSTREAM_HOST_H

#include "engine/engine.h"

struct upstream_host;

/* The scripted engine gets these options; the model is called "demo" and has their context_length. */
struct upstream_host *upstream_host_start(const struct engine_options *options);
const char *upstream_host_url(const struct upstream_host *host);
void upstream_host_stop(struct upstream_host *host);

#endif
