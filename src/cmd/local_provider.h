/* The provider that `up` runs beside the gateway: this program again, as a child process, so that a crash of either
 * leaves the other standing. */
#ifndef NATARIS_CMD_LOCAL_PROVIDER_H
#define NATARIS_CMD_LOCAL_PROVIDER_H

#include "base/err.h"
#include "cmd/options.h"
#include "cmd/provider_upstream.h"
#include "net/loop.h"

struct local_provider;

struct local_provider_options { /* borrowed for its life */
    const char *gateway_url, *join_token, *data_folder, *engine, *log_level;
    const struct option_list *models, *first_of;     /* as its --model and --first-of */
    const struct provider_upstream_config *upstream; /* NULL: none */
    uint32_t restart_ms;                             /* how long after a child ended it is started again */
    bool quiet;
};

struct local_provider_events {
    /* It ended before it was told to and will not be restarted: status as of its command. */
    void (*on_failed)(void *context, int status);
    /* After local_provider_stop: the child is gone and the struct is freed. */
    void (*on_stopped)(void *context);
};

/* Once local_provider_settled was called, a child that ends unasked is started again. */
MUST_CHECK bool local_provider_start(struct local_provider **out, struct loop *loop,
                                     const struct local_provider_options *options,
                                     const struct local_provider_events *events, void *context, struct err *err);
void local_provider_settled(struct local_provider *provider);
/* SIGTERM; SIGKILL after 5 s, or by a second call. */
void local_provider_stop(struct local_provider *provider);

#endif
