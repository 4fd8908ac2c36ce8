/* nataris provider remove|quarantine|release|replace-key: which devices may serve. */
#ifndef NATARIS_CMD_PROVIDER_EVICT_H
#define NATARIS_CMD_PROVIDER_EVICT_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_REMOVE, COMMAND_PROVIDER_QUARANTINE, COMMAND_PROVIDER_RELEASE,
    COMMAND_PROVIDER_REPLACE_KEY;

#endif
