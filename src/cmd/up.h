/* nataris up: a whole network on this machine: gateway, store, provider and model, and a curl line to paste. */
#ifndef NATARIS_CMD_UP_H
#define NATARIS_CMD_UP_H

#include "cmd/command.h"
#include "cmd/provider_upstream.h"
#include "gateway/gateway.h"

struct up_config {
    const char *config, *data, *listen, *engine, *log_level, *device_root;
    struct option_list model;
    bool json, trust_devices;
    uint32_t hold_days;
    struct provider_upstream_config upstream;
};

extern const struct command COMMAND_UP;

/* What the command line says, for gateway_open; strings are borrowed from `config`. */
void cmd_up_fill(const struct up_config *config, struct gateway_options *options);
/* The models to serve for certain: those of --model, else the built-in one, or what an upstream lists: none. */
struct option_list cmd_up_models(const struct up_config *config);

#endif
