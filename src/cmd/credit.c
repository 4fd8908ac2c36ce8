#include "cmd/credit.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct credit_config {
    struct admin_options admin;
    const char *account, *amount, *note;
    bool given;
};

#define AT(member) offsetof(struct credit_config, member)

static void print_moved(struct json_value answer) {
    char account[64], amount[32], balance[32];
    printf("$%s to %s; its balance is $%s now.\n", table_cell(answer, "amount_usd", amount, sizeof(amount)),
           table_cell(answer, "account_id", account, sizeof(account)),
           table_cell(answer, "balance_usd", balance, sizeof(balance)));
}

static void print_paid(struct json_value answer) {
    char account[64], amount[32];
    printf("$%s is recorded as paid out to %s.\n", table_cell(answer, "amount_usd", amount, sizeof(amount)),
           table_cell(answer, "account_id", account, sizeof(account)));
}

/* The amount goes as text: exact. */
static int move(const struct credit_config *config, const char *tail, const char *type,
                void (*print)(struct json_value answer)) {
    const struct admin_object account = {"/admin/accounts/", config->account, tail};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    json_member_cstr(&writer, "type", type);
    json_member_cstr(&writer, "amount_usd", config->amount);
    json_member_cstr(&writer, "note", config->note);
    if (config->given) {
        json_member_bool(&writer, "given", true);
    }
    const int status = admin_command_on(&config->admin, "POST", &account, admin_body_end(&body, &writer), print);
    buf_clear(&body);
    return status;
}

static int run_grant(const void *parsed) {
    return move(parsed, "/credits", "grant", print_moved);
}

static int run_refund(const void *parsed) {
    return move(parsed, "/credits", "refund", print_moved);
}

static int run_payout(const void *parsed) {
    return move(parsed, "/payouts", NULL, print_paid);
}

static const struct option OPTIONS[] = {
    {"account", OPTION_ARGUMENT, "ACCOUNT", NULL, "whose money it will be", AT(account)},
    {"amount", OPTION_ARGUMENT, "USD", NULL, "dollars, such as 4.75", AT(amount)},
    {"note", OPTION_TEXT, "TEXT", NULL, "why, for the ledger and the audit log", AT(note)},
    ADMIN_OPTIONS(struct credit_config),
};

static const struct option GRANT_OPTIONS[] = {
    {"account", OPTION_ARGUMENT, "ACCOUNT", NULL, "whose money it will be", AT(account)},
    {"amount", OPTION_ARGUMENT, "USD", NULL, "dollars, such as 4.75", AT(amount)},
    {"note", OPTION_TEXT, "TEXT", NULL, "why, for the ledger and the audit log", AT(note)},
    {"given", OPTION_FLAG, NULL, NULL, "nobody has paid for it: what it earns others can be spent, not paid out",
     AT(given)},
    ADMIN_OPTIONS(struct credit_config),
};

const struct command COMMAND_CREDIT_GRANT = {.name = "credit grant",
                                             .summary = "Give an account credit: what it paid for, or a gift",
                                             .options = {GRANT_OPTIONS, COUNT_OF(GRANT_OPTIONS)},
                                             .config_size = sizeof(struct credit_config),
                                             .run = run_grant};
const struct command COMMAND_CREDIT_REFUND = {.name = "credit refund",
                                              .summary = "Give an account back what it paid",
                                              .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                              .config_size = sizeof(struct credit_config),
                                              .run = run_refund};
const struct command COMMAND_PROVIDER_PAYOUT = {.name = "provider payout",
                                                .summary = "Record what was paid out to a provider's owner",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct credit_config),
                                                .run = run_payout};
