/* nataris provider list, verify, unverify, review: the operator's view of all devices. */
#ifndef NATARIS_CMD_PROVIDER_ADMIN_H
#define NATARIS_CMD_PROVIDER_ADMIN_H

#include "cmd/command.h"

extern const struct command COMMAND_PROVIDER_LIST;
extern const struct command COMMAND_PROVIDER_VERIFY;
extern const struct command COMMAND_PROVIDER_UNVERIFY;
extern const struct command COMMAND_PROVIDER_REVIEW;

#endif
