/* nataris key create|list|revoke: the secrets that requests are sent with. */
#ifndef NATARIS_CMD_KEY_H
#define NATARIS_CMD_KEY_H

#include "cmd/command.h"

extern const struct command COMMAND_KEY_CREATE;
extern const struct command COMMAND_KEY_LIST;
extern const struct command COMMAND_KEY_REVOKE;

#endif
