/* The table of all commands. */
#ifndef NATARIS_CMD_COMMANDS_H
#define NATARIS_CMD_COMMANDS_H

#include "cmd/command.h"

size_t commands_count(void);
const struct command *commands_at(size_t index);
/* Runs the command that argv names behind the program's own name; prints the overview and the version, too. Returns the
 * exit status. */
int commands_dispatch(int argc, char **argv);

#endif
