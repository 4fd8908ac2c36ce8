/* nataris audit list: what operators did. */
#include "cmd/admin_command.h"

#include <stdio.h>

struct audit_config {
    struct admin_options admin;
    const char *before;
    uint32_t limit;
};

static void print_row(struct json_value line) {
    char number[24], at[32], actor[48], action[48], subject[64], amount[32], note[160];
    printf("%-6s %-24s %-6s %-18s %-26s %14s  %s\n", admin_cell(line, "number", number, sizeof number),
           admin_cell(line, "at", at, sizeof at), admin_cell(line, "actor", actor, sizeof actor),
           admin_cell(line, "action", action, sizeof action), admin_cell(line, "subject", subject, sizeof subject),
           admin_cell(line, "amount_usd", amount, sizeof amount), admin_cell(line, "note", note, sizeof note));
}

static void print_list(struct json_value answer) {
    printf("%-6s %-24s %-6s %-18s %-26s %14s  %s\n", "NUMBER", "AT", "ACTOR", "ACTION", "SUBJECT", "AMOUNT USD",
           "NOTE");
    admin_print_rows(answer, print_row, "--before", "number");
}

static int run_list(const void *parsed) {
    const struct audit_config *config = parsed;
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_page_path(path, "/admin/audit", config->limit, "before", config->before, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(&config->admin, "GET", path, STR(""), print_list);
}

static const struct option OPTIONS[] = {
    {"limit", OPTION_NUMBER, "N", "100", "lines at most, up to 1000; the newest come first",
     offsetof(struct audit_config, limit)},
    {"before", OPTION_TEXT, "NUMBER", NULL, "only lines before this one", offsetof(struct audit_config, before)},
    ADMIN_OPTIONS(struct audit_config),
};

const struct command COMMAND_AUDIT_LIST = {.name = "audit list",
                                           .summary = "List what operators did, newest first",
                                           .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                           .config_size = sizeof(struct audit_config),
                                           .run = run_list};
