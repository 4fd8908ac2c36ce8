/* nataris model pull: fetches models into the model folder. */
#ifndef NATARIS_CMD_MODEL_PULL_H
#define NATARIS_CMD_MODEL_PULL_H

#include "cmd/command.h"

extern const struct command COMMAND_MODEL_PULL;

#endif
