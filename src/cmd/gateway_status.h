/* nataris gateway status: what a running gateway does, and what it leaves out because the disk is nearly full. */
#ifndef NATARIS_CMD_GATEWAY_STATUS_H
#define NATARIS_CMD_GATEWAY_STATUS_H

#include "cmd/command.h"

extern const struct command COMMAND_GATEWAY_STATUS;

#endif
