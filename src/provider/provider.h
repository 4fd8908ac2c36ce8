/* The provider agent: runs models on this device and serves jobs that come over the link. It never sees the API, the
 * core or the store. */
#ifndef NATARIS_PROVIDER_PROVIDER_H
#define NATARIS_PROVIDER_PROVIDER_H

#include "base/err.h"
#include "net/loop.h"
#include "provider/provider_options.h"

#include <stdbool.h>
#include <stdint.h>

struct provider;

struct provider_events {
    /* The provider has closed by itself or after provider_stop, and is freed. `err` is NULL, or why it cannot go on
     * (the gateway refused this device for good; none of its models can be had). */
    void (*on_stopped)(void *context, const struct err *err);
};

/* Checks the options (unknown model, missing file, bad URL) before anything starts; then downloads, loads and connects
 * on the loop. A model that cannot be had is a warning with the reason as long as another one can. */
MUST_CHECK bool provider_open(struct provider **out, struct loop *loop, const struct provider_options *options,
                              const struct provider_events *events, void *context, struct err *err);
/* Takes no new jobs, finishes running ones for up to drain_ms (0: at once), then stops. A second call stops at once. */
void provider_stop(struct provider *provider, uint32_t drain_ms);

#endif
