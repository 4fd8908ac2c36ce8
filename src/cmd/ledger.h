/* nataris ledger check|export: the proof that the books are right, and the books. Both read the store itself; a gateway
 * may be running. */
#ifndef NATARIS_CMD_LEDGER_H
#define NATARIS_CMD_LEDGER_H

#include "cmd/command.h"

extern const struct command COMMAND_LEDGER_CHECK;
extern const struct command COMMAND_LEDGER_EXPORT;

#endif
