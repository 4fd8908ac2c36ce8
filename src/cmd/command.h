/* One file per group of subcommands; main.c holds the table. */
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

extern const struct command COMMAND_UP;
extern const struct command COMMAND_GATEWAY;
extern const struct command COMMAND_PROVIDER;
extern const struct command COMMAND_PROVIDER_INVITE;
extern const struct command COMMAND_PROVIDER_STATUS;
extern const struct command COMMAND_PROVIDER_PAUSE;
extern const struct command COMMAND_PROVIDER_RESUME;
extern const struct command COMMAND_PROVIDER_DOCTOR;
extern const struct command COMMAND_PROVIDER_LIST;
extern const struct command COMMAND_PROVIDER_WHY;
extern const struct command COMMAND_PROVIDER_VERIFY;
extern const struct command COMMAND_PROVIDER_UNVERIFY;
extern const struct command COMMAND_PROVIDER_REVIEW;
extern const struct command COMMAND_JOB_EXPLAIN;
extern const struct command COMMAND_ACCOUNT_CREATE;
extern const struct command COMMAND_ACCOUNT_LIST;
extern const struct command COMMAND_ACCOUNT_SHOW;
extern const struct command COMMAND_ACCOUNT_SET_TIER;
extern const struct command COMMAND_ACCOUNT_SUSPEND;
extern const struct command COMMAND_KEY_CREATE;
extern const struct command COMMAND_KEY_LIST;
extern const struct command COMMAND_KEY_REVOKE;
extern const struct command COMMAND_CREDIT_GRANT;
extern const struct command COMMAND_CREDIT_REFUND;
extern const struct command COMMAND_PROVIDER_EARNINGS;
extern const struct command COMMAND_PROVIDER_PAYOUT;
extern const struct command COMMAND_LEDGER_CHECK;
extern const struct command COMMAND_LEDGER_EXPORT;
extern const struct command COMMAND_AUDIT_LIST;
extern const struct command COMMAND_CATALOG;
extern const struct command COMMAND_MODEL_PULL;
extern const struct command COMMAND_MODEL_LIST;
extern const struct command COMMAND_MODEL_RM;
extern const struct command COMMAND_MODEL_PIN;
extern const struct command COMMAND_MODEL_UNPIN;

/* Runs the command that argv names; prints help and usage errors. Returns the exit status. */
int command_dispatch(const struct command *const *commands, size_t count, int argc, char **argv);
/* "nataris: <message>" on stderr; returns COMMAND_FAILED. */
int command_fail(const struct err *err);
/* Sets the log level from its name; false after a message when there is no such level. */
MUST_CHECK bool command_set_log_level(const char *name, struct err *err);

/* Options that several commands share. */
#define OPTION_CONFIG_FILE(type)                                                                                       \
    {                                                                                                                  \
        "config", OPTION_TEXT, "FILE", NULL, "INI file with any of these options, as 'name = value'",                  \
            offsetof(type, config)                                                                                     \
    }
#define OPTION_LOG_LEVEL(type, level)                                                                                  \
    { "log-level", OPTION_TEXT, "LEVEL", level, "debug, info, warn or error", offsetof(type, log_level) }

#endif
