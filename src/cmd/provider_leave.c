#include "cmd/provider_leave.h"

#include "provider/leave.h"

#include <stdio.h>

enum { WAIT_MS = 20 * 1000 };

struct leave_config {
    const char *config, *gateway, *data, *ca_file;
    bool yes;
};

static bool check(const struct leave_config *config, struct err *err) {
    if (config->gateway == NULL || config->data == NULL) {
        return err_set(err, ERR_INVALID, "--gateway URL and --data DIR are needed, as for nataris provider");
    }
    return config->yes || err_set(err, ERR_INVALID,
                                  "a device that has left never comes back with its key, and a new one needs a join "
                                  "token: say --yes");
}

static int run_leave(const void *parsed) {
    const struct leave_config *config = parsed;
    const struct leave_options options = {
        .gateway_url = config->gateway, .data_folder = config->data, .ca_file = config->ca_file, .wait_ms = WAIT_MS};
    struct err err = {0};
    if (!check(config, &err)) {
        return command_misused(&err);
    }
    if (!leave_network(&options, &err)) {
        return command_fail(&err);
    }
    printf("This device has left the network, and its key is gone. What it earned is its account's.\n");
    return COMMAND_OK;
}

#define AT(member) offsetof(struct leave_config, member)
static const struct option OPTIONS[] = {
    {"gateway", OPTION_TEXT, "URL", NULL, "the gateway, such as https://host:port", AT(gateway)},
    {"data", OPTION_TEXT, "DIR", NULL, "the provider's data folder", AT(data)},
    {"ca-file", OPTION_TEXT, "FILE", NULL, "authorities (PEM) to trust for https; default: the system's", AT(ca_file)},
    {"yes", OPTION_FLAG, NULL, NULL, "yes, for good", AT(yes)},
    OPTION_CONFIG_FILE(struct leave_config, config),
};
#undef AT

const struct command COMMAND_PROVIDER_LEAVE = {.name = "provider leave",
                                               .summary = "Take this device out of its network, for good",
                                               .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                               .config_size = sizeof(struct leave_config),
                                               .run = run_leave};
