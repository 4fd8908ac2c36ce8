/* nataris account create|list|show|set-tier|set-audits|suspend|erase: who may use the network, and how much. */
#ifndef NATARIS_CMD_ACCOUNT_H
#define NATARIS_CMD_ACCOUNT_H

#include "cmd/command.h"

extern const struct command COMMAND_ACCOUNT_CREATE;
extern const struct command COMMAND_ACCOUNT_LIST;
extern const struct command COMMAND_ACCOUNT_SHOW;
extern const struct command COMMAND_ACCOUNT_SET_TIER, COMMAND_ACCOUNT_SET_AUDITS;
extern const struct command COMMAND_ACCOUNT_SUSPEND;
extern const struct command COMMAND_ACCOUNT_ERASE;

#endif
