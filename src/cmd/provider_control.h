/* nataris provider status, pause, resume: the owner speaks to the provider of a data folder. Pausing works without a
 * running one, too: then it holds for the next start. */
#ifndef NATARIS_CMD_PROVIDER_CONTROL_H
#define NATARIS_CMD_PROVIDER_CONTROL_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_STATUS;
extern const struct command COMMAND_PROVIDER_PAUSE;
extern const struct command COMMAND_PROVIDER_RESUME;

#endif
