/* nataris provider why: why devices get no jobs. For the operator with the data folder, for an owner with the gateway's
 * address and a key; both print the gateway's own sentences. */
#ifndef NATARIS_CMD_PROVIDER_WHY_H
#define NATARIS_CMD_PROVIDER_WHY_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_WHY;

#endif
