/* nataris provider invite: a join token for one more device, or for several. Works while the gateway runs. */
#ifndef NATARIS_CMD_PROVIDER_INVITE_H
#define NATARIS_CMD_PROVIDER_INVITE_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_INVITE;

#endif
