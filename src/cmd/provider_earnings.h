/* nataris provider earnings: what the devices of an account have earned. */
#ifndef NATARIS_CMD_PROVIDER_EARNINGS_H
#define NATARIS_CMD_PROVIDER_EARNINGS_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_EARNINGS;

#endif
