#include "cmd/provider_earnings.h"

#include "cmd/admin_command.h"
#include "store/store.h"

#include <stdio.h>

struct earnings_config {
    struct admin_options admin;
    const char *account;
};

static void print_earnings(struct json_value answer) {
    static const struct table_line LINES[] = {{"Account", "account_id"},
                                              {"Earned", "earned_usd"},
                                              {"Paid out", "paid_usd"},
                                              {"Owed", "owed_usd"},
                                              {"Jobs", "jobs"},
                                              {"Tokens", "tokens"},
                                              {"Payable", "payable_usd"},
                                              {"Ripening", "ripening_usd"},
                                              {"In escrow", "escrow_usd"},
                                              {"Given", "given_usd"}};
    struct json_value ripens, item;
    struct json_iterator iterator;
    char by[32], amount[32];
    table_print_lines(answer, 9, LINES, COUNT_OF(LINES));
    if (json_get(answer, "ripens", &ripens)) {
        for (json_iterate(ripens, &iterator); json_next(&iterator, NULL, &item);) {
            printf("  $%s more is ripe by %s\n", table_cell(item, "amount_usd", amount, sizeof(amount)),
                   table_cell(item, "by", by, sizeof(by)));
        }
    }
}

/* The operator's own account. It is the first that a data folder gets, so it is on the first page. */
static bool find_owner(const char *data_folder, char id[STORE_ID_MAX], struct err *err) {
    struct admin_reply reply = {0};
    struct json_value data, item;
    struct json_iterator iterator;
    bool found = false;
    bool ok = admin_client_call(data_folder, "GET", "/admin/accounts", STR(""), &reply, err);
    if (ok && json_get(reply.root, "data", &data)) {
        for (json_iterate(data, &iterator); !found && json_next(&iterator, NULL, &item);) {
            found = table_flag(item, "owner");
            (void)table_cell(item, "id", id, STORE_ID_MAX);
        }
    }
    admin_reply_clear(&reply);
    return ok && (found || err_set(err, ERR_NOT_FOUND, "there is no owner's account: name the ACCOUNT"));
}

static int run_earnings(const void *parsed) {
    const struct earnings_config *config = parsed;
    char owner[STORE_ID_MAX];
    struct err err = {0};
    if (config->account == NULL && !find_owner(config->admin.data, owner, &err)) {
        return command_fail(&err);
    }
    const struct admin_object account = {"/admin/accounts/", config->account != NULL ? config->account : owner,
                                         "/earnings"};
    return admin_command_on(&config->admin, "GET", &account, STR(""), print_earnings);
}

static const struct option OPTIONS[] = {
    {"account", OPTION_ARGUMENT_OPTIONAL, "ACCOUNT", NULL, "whose devices; default: the operator's own",
     offsetof(struct earnings_config, account)},
    ADMIN_OPTIONS(struct earnings_config),
};

const struct command COMMAND_PROVIDER_EARNINGS = {.name = "provider earnings",
                                                  .summary = "Show what an account's devices have earned",
                                                  .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                  .config_size = sizeof(struct earnings_config),
                                                  .run = run_earnings};
