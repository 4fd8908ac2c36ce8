#include "cmd/account.h"

#include "cmd/admin_command.h"

#include <stdio.h>
#include <string.h>

struct account_config {
    struct admin_options admin;
    const char *name, *id, *tier, *audits, *after;
    uint32_t limit;
    bool undo, yes;
};

#define AT(member) offsetof(struct account_config, member)

static void print_created(struct json_value answer) {
    static const struct table_line LINES[] = {{"Account", "id"}, {"API key", "api_key"}, {"Test key", "test_key"}};
    char balance[32];
    table_print_lines(answer, 9, LINES, COUNT_OF(LINES));
    printf("Balance   $%s\n\nThe keys are shown only now.\n",
           table_cell(answer, "balance_usd", balance, sizeof(balance)));
}

/* Since when, and what is special about it. */
static const char *since_text(struct json_value account, char *out, size_t size) {
    char created[32];
    snprintf(out, size, "%.10s%s%s", table_cell(account, "created_at", created, sizeof(created)),
             table_flag(account, "owner") ? " owner" : "", table_flag(account, "suspended") ? " suspended" : "");
    return out;
}

static void print_list(struct json_value answer) {
    static const struct table_column COLUMNS[] = {{"ID", -26, "id", 63, NULL},
                                                  {"NAME", -20, "name", 63, NULL},
                                                  {"TIER", -10, "tier", 0, NULL},
                                                  {"BALANCE USD", 16, "balance_usd", 0, NULL},
                                                  {"SINCE", 0, NULL, 0, since_text}};
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "id"};
    table_print_list(&TABLE, answer);
}

/* A "-" is no limit. */
static void print_kept(const char *name, struct json_value kind) {
    char rows[32], rows_max[32], bytes[32], bytes_max[32];
    printf("Kept      %s: %s of %s, %s of %s bytes\n", name, table_cell(kind, "rows", rows, sizeof(rows)),
           table_cell(kind, "rows_max", rows_max, sizeof(rows_max)), table_cell(kind, "bytes", bytes, sizeof(bytes)),
           table_cell(kind, "bytes_max", bytes_max, sizeof(bytes_max)));
}

static void print_account(struct json_value account) {
    static const struct table_line LINES[] = {
        {"Account", "id"},          {"Name", "name"},
        {"Tier", "tier"},           {"Suspended", "suspended"},
        {"Owner", "owner"},         {"Since", "created_at"},
        {"Balance", "balance_usd"}, {"Given", "given_usd"},
        {"On hold", "held_usd"},    {"Requests", "active_requests"},
        {"Audits", "audits"},
    };
    static const char *const KINDS[] = {"conversations", "jobs", "workflows", "answers", "deliveries"};
    struct json_value kept, kind;
    table_print_lines(account, 10, LINES, COUNT_OF(LINES));
    for (size_t i = 0; i < COUNT_OF(KINDS) && json_get(account, "kept", &kept); i++) {
        if (json_get(kept, KINDS[i], &kind)) {
            print_kept(KINDS[i], kind);
        }
    }
}

static void print_changed(struct json_value account) {
    char id[64], tier[16];
    printf("%s: tier %s, %s\n", table_cell(account, "id", id, sizeof(id)),
           table_cell(account, "tier", tier, sizeof(tier)), table_flag(account, "suspended") ? "suspended" : "active");
}

static int run_create(const void *parsed) {
    const struct account_config *config = parsed;
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    json_member_cstr(&writer, "name", config->name);
    json_member_cstr(&writer, "tier", config->tier);
    const int status =
        admin_command_run(&config->admin, "POST", "/admin/accounts", admin_body_end(&body, &writer), print_created);
    buf_clear(&body);
    return status;
}

static int run_list(const void *parsed) {
    const struct account_config *config = parsed;
    const struct admin_page page = {config->limit, "after", config->after};
    return admin_command_list(&config->admin, "/admin/accounts", &page, print_list);
}

static int run_show(const void *parsed) {
    const struct account_config *config = parsed;
    const struct admin_object account = {"/admin/accounts/", config->id, ""};
    return admin_command_on(&config->admin, "GET", &account, STR(""), print_account);
}

/* `tier` NULL: suspends, or with --undo ends that. */
static int change(const struct account_config *config, const char *tier) {
    const struct admin_object account = {"/admin/accounts/", config->id, ""};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    if (tier != NULL) {
        json_member_cstr(&writer, "tier", tier);
    } else {
        json_member_bool(&writer, "suspended", !config->undo);
    }
    const int status =
        admin_command_on(&config->admin, "PATCH", &account, admin_body_end(&body, &writer), print_changed);
    buf_clear(&body);
    return status;
}

static int run_set_tier(const void *parsed) {
    const struct account_config *config = parsed;
    return change(config, config->tier);
}

static int run_suspend(const void *parsed) {
    return change(parsed, NULL);
}

static void print_audits(struct json_value account) {
    char id[64];
    const bool on = table_flag(account, "audits");
    printf("%s: audits %s: %s\n", table_cell(account, "id", id, sizeof(id)), on ? "on" : "off",
           on ? "some of its prompts are shown to your own and verified devices, which score the answers"
              : "none of its prompts is shown to a device that does not answer it");
}

static int run_set_audits(const void *parsed) {
    const struct account_config *config = parsed;
    const struct admin_object account = {"/admin/accounts/", config->id, ""};
    const bool on = strcmp(config->audits, "on") == 0;
    struct buf body;
    struct json_writer writer;
    struct err err;
    if (!on && strcmp(config->audits, "off") != 0) {
        (void)err_set(&err, ERR_INVALID, "audits are on or off, not %s", config->audits);
        return command_misused(&err);
    }
    admin_body_begin(&body, &writer);
    json_member_bool(&writer, "audits", on);
    const int status =
        admin_command_on(&config->admin, "PATCH", &account, admin_body_end(&body, &writer), print_audits);
    buf_clear(&body);
    return status;
}

static void print_erased(struct json_value account) {
    char id[64], balance[32];
    printf(
        "%s is erased: its conversations, jobs, workflows, stored answers, webhooks, keys, join tokens and names are"
        " gone.\nKept: the ledger with its balance of $%s and what was settled, without which the books would not add"
        " up, and the audit log.\nIt is suspended. What it earned stays owed; to pay it out: nataris account suspend %s"
        " --undo, nataris provider payout %s AMOUNT, and suspend it again.\n",
        table_cell(account, "id", id, sizeof(id)), table_cell(account, "balance_usd", balance, sizeof(balance)), id,
        id);
}

static int run_erase(const void *parsed) {
    const struct account_config *config = parsed;
    const struct admin_object account = {"/admin/accounts/", config->id, ""};
    if (!config->yes) {
        fprintf(stderr,
                "nataris: erasing %s deletes its conversations, jobs, workflows, stored answers, webhooks, keys, join"
                " tokens and names for good, and nothing brings them back; the ledger and the audit log stay."
                " Say --yes to do it.\n",
                config->id);
        return 2;
    }
    return admin_command_on(&config->admin, "DELETE", &account, STR(""), print_erased);
}

static const struct option CREATE_OPTIONS[] = {
    {"name", OPTION_ARGUMENT, "NAME", NULL, "whose account it is, for the operator", AT(name)},
    {"tier", OPTION_TEXT, "TIER", "free", "free, starter, pro or unlimited", AT(tier)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option LIST_OPTIONS[] = {
    {"limit", OPTION_NUMBER, "N", "100", "accounts at most, up to 1000", AT(limit)},
    {"after", OPTION_TEXT, "ID", NULL, "only those made after this one", AT(after)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option SHOW_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the account", AT(id)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option SET_TIER_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the account", AT(id)},
    {"tier", OPTION_ARGUMENT, "TIER", NULL, "free, starter, pro or unlimited", AT(tier)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option SET_AUDITS_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the account", AT(id)},
    {"audits", OPTION_ARGUMENT, "on|off", NULL, "off: none of its prompts is shown to a device that scores answers",
     AT(audits)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option SUSPEND_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the account", AT(id)},
    {"undo", OPTION_FLAG, NULL, NULL, "let it in again", AT(undo)},
    ADMIN_OPTIONS(struct account_config),
};
static const struct option ERASE_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the account", AT(id)},
    {"yes", OPTION_FLAG, NULL, NULL, "really: nothing brings the data back", AT(yes)},
    ADMIN_OPTIONS(struct account_config),
};

const struct command COMMAND_ACCOUNT_CREATE = {.name = "account create",
                                               .summary = "Make an account with its first keys and $5",
                                               .options = {CREATE_OPTIONS, COUNT_OF(CREATE_OPTIONS)},
                                               .config_size = sizeof(struct account_config),
                                               .run = run_create};
const struct command COMMAND_ACCOUNT_LIST = {.name = "account list",
                                             .summary = "List accounts with their balances",
                                             .options = {LIST_OPTIONS, COUNT_OF(LIST_OPTIONS)},
                                             .config_size = sizeof(struct account_config),
                                             .run = run_list};
const struct command COMMAND_ACCOUNT_SHOW = {.name = "account show",
                                             .summary = "Show one account: balance, holds, running requests",
                                             .options = {SHOW_OPTIONS, COUNT_OF(SHOW_OPTIONS)},
                                             .config_size = sizeof(struct account_config),
                                             .run = run_show};
const struct command COMMAND_ACCOUNT_SET_TIER = {.name = "account set-tier",
                                                 .summary = "Change an account's limits",
                                                 .options = {SET_TIER_OPTIONS, COUNT_OF(SET_TIER_OPTIONS)},
                                                 .config_size = sizeof(struct account_config),
                                                 .run = run_set_tier};
const struct command COMMAND_ACCOUNT_SET_AUDITS = {.name = "account set-audits",
                                                   .summary = "Whether answers to an account's prompts may be audited",
                                                   .options = {SET_AUDITS_OPTIONS, COUNT_OF(SET_AUDITS_OPTIONS)},
                                                   .config_size = sizeof(struct account_config),
                                                   .run = run_set_audits};
const struct command COMMAND_ACCOUNT_SUSPEND = {.name = "account suspend",
                                                .summary = "Refuse an account's requests, or let it in again",
                                                .options = {SUSPEND_OPTIONS, COUNT_OF(SUSPEND_OPTIONS)},
                                                .config_size = sizeof(struct account_config),
                                                .run = run_suspend};
const struct command COMMAND_ACCOUNT_ERASE = {.name = "account erase",
                                              .summary = "Delete all that is an account's own; the ledger stays",
                                              .options = {ERASE_OPTIONS, COUNT_OF(ERASE_OPTIONS)},
                                              .config_size = sizeof(struct account_config),
                                              .run = run_erase};
