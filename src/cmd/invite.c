#include "cmd/invite.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct tokens_config {
    struct admin_options admin;
    const char *id, *after;
    uint32_t limit;
};

static void print_tokens(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"ID", -23, "id", 47, NULL},
        {"ACCOUNT", -25, "account_id", 47, NULL},
        {"STATE", -17, "state", 0, NULL},
        {"LEFT", -4, "uses_left", 0, NULL},
        {"EXPIRES", -24, "expires_at", 0, NULL},
        {"NEW KEY OF", 0, "replaces_key_of", 47, NULL},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "id"};
    table_print_list(&TABLE, answer);
}

static int run_list(const void *parsed) {
    const struct tokens_config *config = parsed;
    const struct admin_page page = {config->limit, "after", config->after};
    return admin_command_list(&config->admin, "/admin/join-tokens", &page, print_tokens);
}

static void print_revoked(struct json_value token) {
    char id[48];
    printf("%s is revoked: no device joins with it any more. Those that have joined stay.\n",
           table_cell(token, "id", id, sizeof(id)));
}

static int run_revoke(const void *parsed) {
    const struct tokens_config *config = parsed;
    const struct admin_object token = {"/admin/join-tokens/", config->id, ""};
    return admin_command_on(&config->admin, "DELETE", &token, STR(""), print_revoked);
}

#define AT(member) offsetof(struct tokens_config, member)
static const struct option LIST_OPTIONS[] = {
    {"limit", OPTION_NUMBER, "N", "100", "tokens at most, up to 1000; the newest come first", AT(limit)},
    {"after", OPTION_TEXT, "ID", NULL, "only those behind this one", AT(after)},
    ADMIN_OPTIONS(struct tokens_config),
};
static const struct option REVOKE_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the token's id of the list, such as invite_...", AT(id)},
    ADMIN_OPTIONS(struct tokens_config),
};
#undef AT

const struct command COMMAND_INVITE_LIST = {.name = "provider invite list",
                                            .summary = "List the join tokens that were made",
                                            .options = {LIST_OPTIONS, COUNT_OF(LIST_OPTIONS)},
                                            .config_size = sizeof(struct tokens_config),
                                            .run = run_list};
const struct command COMMAND_INVITE_REVOKE = {.name = "provider invite revoke",
                                              .summary = "Take a join token back",
                                              .options = {REVOKE_OPTIONS, COUNT_OF(REVOKE_OPTIONS)},
                                              .config_size = sizeof(struct tokens_config),
                                              .run = run_revoke};
