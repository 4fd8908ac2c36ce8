/* The provider agent: runs models on this device and serves jobs that come over the link. It never sees the API, the
 * core or the store. */
#ifndef NATARIS_PROVIDER_PROVIDER_H
#define NATARIS_PROVIDER_PROVIDER_H

#include "base/err.h"
#include "net/loop.h"
#include "provider/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider;

struct provider_options { /* strings are borrowed for the provider's life */
    const char *gateway_url;
    const char *join_token;    /* NULL or "": this device is enrolled already */
    const char *data_folder;   /* the device's key lives here (device_key, mode 0600) */
    const char *model_folder;  /* where model files are kept, shared by all data folders of a user */
    const char *engine;        /* "llama" or "scripted" */
    const char *const *models; /* catalog ids, aliases, or paths of GGUF files; loaded in this order, and kept loaded */
    size_t model_count;
    const char *const *offers; /* the same, but loaded when a job comes; "all": what the model folder has */
    size_t offer_count;
    bool auto_models;           /* models that the gateway says are in demand may be fetched */
    uint32_t keep_warm_ms;      /* how long a model that is not kept stays loaded after its last job; 0: for good */
    uint64_t model_quota_bytes; /* what the model folder may hold; 0: as the disk has */
    const char *name, *region;  /* "" when not given: the host's name, no region */
    const char *ca_file;        /* PEM authorities for https/wss; NULL: the system's */
    uint32_t slots, context_length, threads; /* 0: chosen by the engine */
    double script_rate;
    uint32_t script_load_ms, script_prefill_ms;
    const char *script;    /* see struct engine_options; NULL or "": none */
    uint32_t reconnect_ms; /* first pause before a lost gateway is tried again, 1 to 60000; doubles to 120 times that */
    bool quiet;            /* no progress bars */
    struct owner_limits limits;
    const char *device_root; /* where /proc, /sys and /dev are looked for: "/", or a folder of tests */
};
void provider_options_init(struct provider_options *options);

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
/* The default model folder: $NATARIS_MODELS, else $XDG_CACHE_HOME/nataris/models, else ~/.cache/nataris/models. */
MUST_CHECK bool provider_default_model_folder(char *out, size_t out_size, struct err *err);

#endif
