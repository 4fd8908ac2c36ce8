#include "cmd/provider_escrow.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct escrow_config {
    struct admin_options admin;
    const char *release, *give_back, *forfeit, *note, *after;
    uint32_t limit;
};

#define AT(member) offsetof(struct escrow_config, member)

static void print_escrow(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"ID", -26, "provider_id", 47, NULL},   {"NAME", -16, "name", 63, NULL},
        {"OWNER", -26, "account_id", 63, NULL}, {"JOBS", 8, "jobs", 0, NULL},
        {"PAID USD", 16, "paid_usd", 0, NULL},  {"GIVEN USD", 16, "given_usd", 0, NULL},
        {"SINCE", -24, "since", 0, NULL},       {"IN REVIEW", 0, "in_review", 0, NULL},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "provider_id"};
    table_print_list(&TABLE, answer);
}

static void print_ended(struct json_value answer) {
    char id[48], amount[32], given[32];
    printf("$%s that %s earned is out of escrow ($%s of it given credit)\n",
           table_cell(answer, "amount_usd", amount, sizeof(amount)), table_cell(answer, "id", id, sizeof(id)),
           table_cell(answer, "given_usd", given, sizeof(given)));
}

static int end(const struct escrow_config *config, const char *id, const char *action) {
    const struct admin_object device = {"/admin/providers/", id, "/escrow"};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    json_member_cstr(&writer, "action", action);
    json_member_cstr(&writer, "note", config->note);
    const int status = admin_command_on(&config->admin, "POST", &device, admin_body_end(&body, &writer), print_ended);
    buf_clear(&body);
    return status;
}

static int run_escrow(const void *parsed) {
    const struct escrow_config *config = parsed;
    const struct admin_page page = {config->limit, "after", config->after};
    const int words = (config->release != NULL) + (config->give_back != NULL) + (config->forfeit != NULL);
    struct err err;
    if (words > 1) {
        (void)err_set(&err, ERR_INVALID, "give one of --release, --return and --forfeit");
        return command_fail(&err);
    }
    if (config->release != NULL) {
        return end(config, config->release, "release");
    }
    if (config->give_back != NULL) {
        return end(config, config->give_back, "return");
    }
    return config->forfeit != NULL ? end(config, config->forfeit, "forfeit")
                                   : admin_command_list(&config->admin, "/admin/escrow", &page, print_escrow);
}

static const struct option OPTIONS[] = {
    {"release", OPTION_TEXT, "ID", NULL, "what this device earned is its owner's", AT(release)},
    {"return", OPTION_TEXT, "ID", NULL, "what this device earned goes back to those who paid it", AT(give_back)},
    {"forfeit", OPTION_TEXT, "ID", NULL, "what this device earned goes to the network", AT(forfeit)},
    {"note", OPTION_TEXT, "TEXT", NULL, "why, for the ledger and the audit log", AT(note)},
    {"limit", OPTION_NUMBER, "N", "100", "devices at most, up to 1000", AT(limit)},
    {"after", OPTION_TEXT, "ID", NULL, "only those behind this one", AT(after)},
    ADMIN_OPTIONS(struct escrow_config),
};

const struct command COMMAND_PROVIDER_ESCROW = {.name = "provider escrow",
                                                .summary = "List what earnings wait for your word, or give it",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct escrow_config),
                                                .run = run_escrow};
