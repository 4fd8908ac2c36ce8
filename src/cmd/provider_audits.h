/* nataris provider audits: what audits have found of a device, for the operator (docs/AUDITS.md). */
#ifndef NATARIS_CMD_PROVIDER_AUDITS_H
#define NATARIS_CMD_PROVIDER_AUDITS_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_AUDITS;

#endif
