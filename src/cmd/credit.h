/* nataris credit grant|refund, and provider payout: money that the operator moves. */
#ifndef NATARIS_CMD_CREDIT_H
#define NATARIS_CMD_CREDIT_H

#include "cmd/command.h"

extern const struct command COMMAND_CREDIT_GRANT;
extern const struct command COMMAND_CREDIT_REFUND;
extern const struct command COMMAND_PROVIDER_PAYOUT;

#endif
