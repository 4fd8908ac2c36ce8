#include "cmd/provider_evict.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct evict_config {
    struct admin_options admin;
    const char *id, *reason;
    uint32_t hours;
    bool yes;
};

static int change(const struct evict_config *config, const char *method, const char *quarantined,
                  void (*print)(struct json_value answer)) {
    const struct admin_object device = {"/admin/providers/", config->id, ""};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    if (quarantined != NULL) {
        json_member_bool(&writer, "quarantined", quarantined[0] == 'y');
    }
    if (config->reason != NULL) {
        json_member_cstr(&writer, "reason", config->reason);
    }
    const int status = admin_command_on(&config->admin, method, &device, admin_body_end(&body, &writer), print);
    buf_clear(&body);
    return status;
}

static void print_standing(struct json_value device) {
    char id[48], standing[16];
    printf("%s is %s\n", table_cell(device, "id", id, sizeof(id)),
           table_cell(device, "standing", standing, sizeof(standing)));
}

static void print_removed(struct json_value device) {
    char id[48];
    printf("%s is removed for good: its link is closed, its key is refused. Its record and what was earned with it "
           "stay.\n",
           table_cell(device, "id", id, sizeof(id)));
}

static int run_remove(const void *parsed) {
    const struct evict_config *config = parsed;
    struct err err = {0};
    if (!config->yes) {
        (void)err_set(&err, ERR_INVALID,
                      "a removed device never comes back with its key: say --yes, or use provider quarantine");
        return command_misused(&err);
    }
    return change(config, "DELETE", NULL, print_removed);
}

static int run_quarantine(const void *parsed) {
    return change(parsed, "PATCH", "yes", print_standing);
}

static int run_release(const void *parsed) {
    return change(parsed, "PATCH", "no", print_standing);
}

static void print_token(struct json_value answer) {
    char id[48], token[64], until[40];
    printf("On the device, with a new data folder (or its file device_key moved away), until %s:\n\n"
           "  nataris provider --gateway URL --join %s --data DIR\n\n"
           "It is %s again with its new key then, and the former key is refused for good.\n",
           table_cell(answer, "expires_at", until, sizeof(until)), table_cell(answer, "token", token, sizeof(token)),
           table_cell(answer, "id", id, sizeof(id)));
}

static int run_replace_key(const void *parsed) {
    const struct evict_config *config = parsed;
    const struct admin_object device = {"/admin/providers/", config->id, "/key"};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    json_member_int(&writer, "hours", config->hours);
    const int status = admin_command_on(&config->admin, "POST", &device, admin_body_end(&body, &writer), print_token);
    buf_clear(&body);
    return status;
}

#define AT(member) offsetof(struct evict_config, member)
#define OPTION_ID                                                                                                      \
    { "id", OPTION_ARGUMENT, "ID", NULL, "the device, such as prov_...", AT(id) }
#define OPTION_REASON                                                                                                  \
    { "reason", OPTION_TEXT, "TEXT", NULL, "why: shown to its owner, and in the audit log", AT(reason) }
static const struct option REMOVE_OPTIONS[] = {
    OPTION_ID,
    {"yes", OPTION_FLAG, NULL, NULL, "yes, for good", AT(yes)},
    OPTION_REASON,
    ADMIN_OPTIONS(struct evict_config),
};
static const struct option QUARANTINE_OPTIONS[] = {OPTION_ID, OPTION_REASON, ADMIN_OPTIONS(struct evict_config)};
static const struct option RELEASE_OPTIONS[] = {OPTION_ID, ADMIN_OPTIONS(struct evict_config)};
static const struct option KEY_OPTIONS[] = {
    OPTION_ID,
    {"hours", OPTION_NUMBER, "N", "24", "how long the token is good", AT(hours)},
    ADMIN_OPTIONS(struct evict_config),
};
#undef AT

const struct command COMMAND_PROVIDER_REMOVE = {.name = "provider remove",
                                                .summary = "Throw a device out, for good",
                                                .options = {REMOVE_OPTIONS, COUNT_OF(REMOVE_OPTIONS)},
                                                .config_size = sizeof(struct evict_config),
                                                .run = run_remove};
const struct command COMMAND_PROVIDER_QUARANTINE = {.name = "provider quarantine",
                                                    .summary = "Give a device no paid jobs until it is released",
                                                    .options = {QUARANTINE_OPTIONS, COUNT_OF(QUARANTINE_OPTIONS)},
                                                    .config_size = sizeof(struct evict_config),
                                                    .run = run_quarantine};
const struct command COMMAND_PROVIDER_RELEASE = {.name = "provider release",
                                                 .summary = "End a device's quarantine",
                                                 .options = {RELEASE_OPTIONS, COUNT_OF(RELEASE_OPTIONS)},
                                                 .config_size = sizeof(struct evict_config),
                                                 .run = run_release};
const struct command COMMAND_PROVIDER_REPLACE_KEY = {.name = "provider replace-key",
                                                     .summary = "Make a join token that gives a device another key",
                                                     .options = {KEY_OPTIONS, COUNT_OF(KEY_OPTIONS)},
                                                     .config_size = sizeof(struct evict_config),
                                                     .run = run_replace_key};
