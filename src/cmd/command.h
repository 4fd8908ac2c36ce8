/* A command of the program: its name, its options and what it does. commands.h has the table of all. */
#ifndef NATARIS_CMD_COMMAND_H
#define NATARIS_CMD_COMMAND_H

#include "cmd/options.h"

/* Exit statuses. */
enum { COMMAND_OK = 0, COMMAND_FAILED = 1, COMMAND_USAGE = 2, COMMAND_INTERRUPTED = 130 };

struct command {
    const char *name; /* "up", "provider invite" */
    const char *summary;
    struct option_set options;
    size_t config_size; /* of the struct that the options fill */
    int (*run)(const void *config);
};

/* Runs the command with the arguments behind its name; prints its --help and usage errors. Returns the exit status. */
int command_run(const struct command *command, int argc, char **argv);
/* Print "nataris: <message>" on stderr; return COMMAND_FAILED, and COMMAND_USAGE when the options are to blame. */
int command_fail(const struct err *err);
int command_misused(const struct err *err);
/* Sets the log level from its name; false with a message when there is no such level. */
MUST_CHECK bool command_set_log_level(const char *name, struct err *err);

/* Options that several commands share. */
#define OPTION_CONFIG_FILE(type, member)                                                                               \
    {                                                                                                                  \
        "config", OPTION_TEXT, "FILE", NULL, "INI file with any of these options, as 'name = value'",                  \
            offsetof(type, member)                                                                                     \
    }
#define OPTION_LOG_LEVEL(type, level)                                                                                  \
    { "log-level", OPTION_TEXT, "LEVEL", level, "debug, info, warn or error", offsetof(type, log_level) }

#endif
