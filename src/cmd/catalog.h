/* nataris catalog: the models that the network offers. */
#ifndef NATARIS_CMD_CATALOG_H
#define NATARIS_CMD_CATALOG_H

#include "cmd/command.h"

extern const struct command COMMAND_CATALOG;

#endif
