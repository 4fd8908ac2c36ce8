/* nataris receipt verify: whether a receipt is what it says, with nothing but files. */
#ifndef NATARIS_CMD_RECEIPT_VERIFY_H
#define NATARIS_CMD_RECEIPT_VERIFY_H

#include "cmd/command.h"

extern const struct command COMMAND_RECEIPT_VERIFY;

#endif
