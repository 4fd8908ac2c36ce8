/* nataris provider invite list|revoke: the join tokens that were made. */
#ifndef NATARIS_CMD_INVITE_H
#define NATARIS_CMD_INVITE_H

#include "cmd/command.h"

extern const struct command COMMAND_INVITE_LIST, COMMAND_INVITE_REVOKE;

#endif
