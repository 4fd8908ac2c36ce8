#include "base/compiler.h"
#include "cmd/command.h"

int main(int argc, char **argv) {
    static const struct command *const COMMANDS[] = {
        &COMMAND_UP,
        &COMMAND_GATEWAY,
        &COMMAND_PROVIDER,
        &COMMAND_PROVIDER_INVITE,
        &COMMAND_ACCOUNT_CREATE,
        &COMMAND_ACCOUNT_LIST,
        &COMMAND_ACCOUNT_SHOW,
        &COMMAND_ACCOUNT_SET_TIER,
        &COMMAND_ACCOUNT_SUSPEND,
        &COMMAND_KEY_CREATE,
        &COMMAND_KEY_LIST,
        &COMMAND_KEY_REVOKE,
        &COMMAND_CREDIT_GRANT,
        &COMMAND_CREDIT_REFUND,
        &COMMAND_PROVIDER_EARNINGS,
        &COMMAND_PROVIDER_PAYOUT,
        &COMMAND_LEDGER_CHECK,
        &COMMAND_LEDGER_EXPORT,
        &COMMAND_AUDIT_LIST,
    };
    return command_dispatch(COMMANDS, COUNT_OF(COMMANDS), argc, argv);
}
