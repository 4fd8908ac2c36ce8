#include "base/compiler.h"
#include "cmd/command.h"

int main(int argc, char **argv) {
    static const struct command *const COMMANDS[] = {
        &COMMAND_UP,
        &COMMAND_GATEWAY,
        &COMMAND_PROVIDER,
        &COMMAND_PROVIDER_INVITE,
    };
    return command_dispatch(COMMANDS, COUNT_OF(COMMANDS), argc, argv);
}
