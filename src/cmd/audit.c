#include "cmd/audit.h"

#include "cmd/admin_command.h"

struct audit_config {
    struct admin_options admin;
    const char *before;
    uint32_t limit;
};

static void print_list(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"NUMBER", -6, "number", 0, NULL},     {"AT", -24, "at", 0, NULL},
        {"ACTOR", -6, "actor", 47, NULL},      {"ACTION", -18, "action", 47, NULL},
        {"SUBJECT", -26, "subject", 63, NULL}, {"AMOUNT USD", 14, "amount_usd", 0, NULL},
        {"NOTE", 0, "note", 159, NULL},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--before", "number"};
    table_print_list(&TABLE, answer);
}

static int run_list(const void *parsed) {
    const struct audit_config *config = parsed;
    const struct admin_page page = {config->limit, "before", config->before};
    return admin_command_list(&config->admin, "/admin/audit", &page, print_list);
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
