/* `nataris provider escrow`: what devices earned while something of them is under review, and whose it is. */
#ifndef NATARIS_CMD_PROVIDER_ESCROW_H
#define NATARIS_CMD_PROVIDER_ESCROW_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_ESCROW;

#endif
