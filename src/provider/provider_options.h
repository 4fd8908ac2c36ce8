/* What the owner of a device says about its provider. */
#ifndef NATARIS_PROVIDER_PROVIDER_OPTIONS_H
#define NATARIS_PROVIDER_PROVIDER_OPTIONS_H

#include "base/compiler.h"
#include "base/err.h"
#include "provider/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct provider_options { /* strings are borrowed for the provider's life */
    const char *gateway_url;
    const char *join_token;    /* NULL or "": this device is enrolled already */
    const char *data_folder;   /* the device's key lives here (device_key, mode 0600) */
    const char *model_folder;  /* where model files are kept, shared by all data folders of a user */
    const char *engine;        /* "llama", "scripted" or "upstream" */
    const char *const *models; /* catalog ids, aliases, or paths of GGUF files; loaded in this order, and kept loaded */
    size_t model_count;
    const char *const *first_of; /* the same, but only the first of them that can be had and loaded */
    size_t first_of_count;
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
    const char *script;                      /* see struct engine_options; NULL or "": none */
    const char *upstream_url, *upstream_key; /* see struct engine_options; then a model may be "ID=NAME-THERE" */
    uint32_t reconnect_ms; /* first pause before a lost gateway is tried again, 1 to 60000; doubles to 120 times that */
    bool quiet;            /* no progress bars */
    struct owner_limits limits;
    const char *device_root; /* where /proc, /sys and /dev are looked for: "/", or a folder of tests */
};
void provider_options_init(struct provider_options *options);
/* The default model folder: $NATARIS_MODELS, else $XDG_CACHE_HOME/nataris/models, else ~/.cache/nataris/models. */
MUST_CHECK bool provider_default_model_folder(char *out, size_t out_size, struct err *err);

#endif
