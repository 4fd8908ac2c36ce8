#include "cmd/command.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/utf8.h"

#include <stdio.h>
#include <stdlib.h>

int command_run(const struct command *command, int argc, char **argv) {
    enum { VALUES_MAX = 256 * 1024 };
    struct err err = {0};
    struct arena memory;
    void *config = mem_calloc(1, command->config_size);
    int status = COMMAND_USAGE;
    arena_init(&memory, VALUES_MAX);
    switch (options_parse(&command->options, argc, argv, config, &memory, &err)) {
    case OPTIONS_OK:
        status = command->run(config);
        break;
    case OPTIONS_HELP:
        printf("Usage: nataris %s", command->name);
        options_print_arguments(&command->options);
        printf(" [OPTIONS]\n%s\n\nOptions:\n", command->summary);
        options_print_help(&command->options);
        status = COMMAND_OK;
        break;
    case OPTIONS_WRONG:
        fprintf(stderr, "nataris %s: %s\nTry 'nataris %s --help'.\n", command->name, err.message, command->name);
        break;
    }
    arena_clear(&memory);
    free(config);
    return status;
}

int command_fail(const struct err *err) {
    char message[ERR_MESSAGE_MAX]; /* it may quote what others have named */
    (void)str_copy(message, sizeof(message), str_from(err->message));
    fprintf(stderr, "nataris: %s\n", utf8_neutralise(message));
    return COMMAND_FAILED;
}

int command_misused(const struct err *err) {
    (void)command_fail(err);
    return COMMAND_USAGE;
}

bool command_set_log_level(const char *name, struct err *err) {
    enum log_level level;
    if (!log_level_from_name(name, &level)) {
        return err_set(err, ERR_INVALID, "--log-level wants debug, info, warn or error, not '%s'", name);
    }
    log_set_level(level);
    return true;
}
