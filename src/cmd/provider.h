/* nataris provider: serves models on this device. */
#ifndef NATARIS_CMD_PROVIDER_H
#define NATARIS_CMD_PROVIDER_H

#include "base/file.h"
#include "cmd/command.h"
#include "cmd/limit_options.h"
#include "cmd/provider_upstream.h"
#include "provider/provider.h"

struct provider_config {
    const char *config, *gateway, *join, *join_file, *data, *models, *engine, *name, *region, *ca_file, *log_level;
    struct option_list model, first_of, offer;
    uint32_t slots, context, threads, drain_s, reconnect_ms, script_load_ms, script_prefill_ms;
    double script_rate;
    const char *script;
    uint32_t keep_warm_s;
    uint64_t model_quota;
    bool quiet, with_parent, auto_models;
    struct limit_options limits;
    struct provider_upstream_config upstream;
};

extern const struct command COMMAND_PROVIDER;

/* What the command line says, for provider_open; strings are borrowed from `config`, and from `model_folder` and
 * `upstream`, which are filled in too. ERR_INVALID names the option that is missing or out of range. */
MUST_CHECK bool cmd_provider_fill(const struct provider_config *config, struct provider_options *options,
                                  char model_folder[FILE_PATH_MAX], struct provider_upstream *upstream,
                                  struct err *err);
/* ERR_INVALID when there is no such engine; --engine of every command means the same. */
MUST_CHECK bool cmd_provider_check_engine(const char *name, struct err *err);

#endif
