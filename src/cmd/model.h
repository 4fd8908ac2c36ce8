/* nataris model list|rm|pin|unpin: the model folder of this device. */
#ifndef NATARIS_CMD_MODEL_H
#define NATARIS_CMD_MODEL_H

#include "cmd/command.h"

extern const struct command COMMAND_MODEL_LIST;
extern const struct command COMMAND_MODEL_RM;
extern const struct command COMMAND_MODEL_PIN;
extern const struct command COMMAND_MODEL_UNPIN;

#endif
