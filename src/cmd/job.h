/* nataris job explain: what happened to a request, and why its devices were chosen. */
#ifndef NATARIS_CMD_JOB_H
#define NATARIS_CMD_JOB_H

#include "cmd/command.h"

extern const struct command COMMAND_JOB_EXPLAIN;

#endif
