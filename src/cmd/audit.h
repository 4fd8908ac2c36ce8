/* nataris audit list: what operators did. */
#ifndef NATARIS_CMD_AUDIT_H
#define NATARIS_CMD_AUDIT_H

#include "cmd/command.h"

extern const struct command COMMAND_AUDIT_LIST;

#endif
