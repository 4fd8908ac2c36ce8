/* nataris provider leave: the owner takes a device out of its network. */
#ifndef NATARIS_CMD_PROVIDER_LEAVE_H
#define NATARIS_CMD_PROVIDER_LEAVE_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_LEAVE;

#endif
