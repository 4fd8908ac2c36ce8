/* nataris provider doctor: the self-test of this device. */
#ifndef NATARIS_CMD_PROVIDER_DOCTOR_H
#define NATARIS_CMD_PROVIDER_DOCTOR_H

#include "base/file.h"
#include "cmd/command.h"
#include "cmd/limit_options.h"
#include "cmd/provider_upstream.h"
#include "provider/provider.h"

struct doctor_config {
    const char *config, *gateway, *data, *models, *engine, *script, *ca_file, *log_level;
    struct option_list model;
    uint32_t context, threads;
    struct limit_options limits;
    struct provider_upstream_config upstream;
    bool json;
};

extern const struct command COMMAND_PROVIDER_DOCTOR;

/* What the command line says, for the self-test; strings are borrowed from `config`, and from `model_folder` and
 * `upstream`, which are filled in too. ERR_INVALID names the option that is missing or out of range. */
MUST_CHECK bool cmd_doctor_fill(const struct doctor_config *config, struct provider_options *options,
                                char model_folder[FILE_PATH_MAX], struct provider_upstream *upstream, struct err *err);

#endif
