#include "cmd/key.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct key_config {
    struct admin_options admin;
    const char *account, *key, *name, *cap_usd, *after;
    struct option_list models;
    uint32_t expires_days, limit;
    bool test;
};

#define AT(member) offsetof(struct key_config, member)

static void print_created(struct json_value answer) {
    static const struct table_line LINES[] = {{"Key", "id"}, {"Secret", "key"}, {"Expires", "expires_at"}};
    table_print_lines(answer, 9, LINES, COUNT_OF(LINES));
    printf("\nThe secret is shown only now.\n");
}

static void print_list(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"ID", -26, "id", 63, NULL},
        {"KIND", -5, "kind", 0, NULL},
        {"NAME", -16, "name", 63, NULL},
        {"SPENT USD", 14, "spent_usd", 0, NULL},
        {"CAP USD", 14, "cap_usd", 0, NULL},
        {"EXPIRES", -10, "expires_at", 10, NULL},
        {"REVOKED", 0, "revoked_at", 10, NULL},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "id"};
    table_print_list(&TABLE, answer);
}

static void print_revoked(struct json_value key) {
    char id[64];
    printf("%s is revoked.\n", table_cell(key, "id", id, sizeof(id)));
}

static struct str create_body(const struct key_config *config, struct buf *body) {
    struct json_writer writer;
    admin_body_begin(body, &writer);
    json_member_cstr(&writer, "kind", config->test ? "test" : "live");
    json_member_cstr(&writer, "name", config->name);
    json_member_cstr(&writer, "cap_usd", config->cap_usd);
    if (config->expires_days > 0) {
        json_member_int(&writer, "expires_in_days", config->expires_days);
    }
    if (config->models.count > 0) {
        json_write_key(&writer, "models");
        json_begin_array(&writer);
        for (size_t i = 0; i < config->models.count; i++) {
            json_write_cstr(&writer, config->models.items[i]);
        }
        json_end_array(&writer);
    }
    return admin_body_end(body, &writer);
}

static int run_create(const void *parsed) {
    const struct key_config *config = parsed;
    const struct admin_object keys = {"/admin/accounts/", config->account, "/keys"};
    struct buf body;
    const int status = admin_command_on(&config->admin, "POST", &keys, create_body(config, &body), print_created);
    buf_clear(&body);
    return status;
}

static int run_list(const void *parsed) {
    const struct key_config *config = parsed;
    const struct admin_page page = {config->limit, "after", config->after};
    char keys[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_path(keys, "/admin/accounts/", config->account, "/keys", &err)) {
        return command_fail(&err);
    }
    return admin_command_list(&config->admin, keys, &page, print_list);
}

static int run_revoke(const void *parsed) {
    const struct key_config *config = parsed;
    const struct admin_object key = {"/admin/keys/", config->key, ""};
    return admin_command_on(&config->admin, "DELETE", &key, STR(""), print_revoked);
}

static const struct option CREATE_OPTIONS[] = {
    {"account", OPTION_ARGUMENT, "ACCOUNT", NULL, "whose key it will be", AT(account)},
    {"test", OPTION_FLAG, NULL, NULL, "a key for the sandbox instead of a live one", AT(test)},
    {"name", OPTION_TEXT, "TEXT", NULL, "what it is for", AT(name)},
    {"expires-days", OPTION_NUMBER, "N", "0", "days until it expires; 0: never", AT(expires_days)},
    {"cap-usd", OPTION_TEXT, "USD", NULL, "the most it may ever spend", AT(cap_usd)},
    {"model", OPTION_LIST, "ID", NULL, "a model it may use; none given: all", AT(models)},
    ADMIN_OPTIONS(struct key_config),
};
static const struct option LIST_OPTIONS[] = {
    {"account", OPTION_ARGUMENT, "ACCOUNT", NULL, "whose keys", AT(account)},
    {"limit", OPTION_NUMBER, "N", "100", "keys at most, up to 1000", AT(limit)},
    {"after", OPTION_TEXT, "ID", NULL, "only those made after this one", AT(after)},
    ADMIN_OPTIONS(struct key_config),
};
static const struct option REVOKE_OPTIONS[] = {
    {"key", OPTION_ARGUMENT, "KEY", NULL, "the key's id, such as key_...; not the secret", AT(key)},
    ADMIN_OPTIONS(struct key_config),
};

const struct command COMMAND_KEY_CREATE = {.name = "key create",
                                           .summary = "Make one more key of an account",
                                           .options = {CREATE_OPTIONS, COUNT_OF(CREATE_OPTIONS)},
                                           .config_size = sizeof(struct key_config),
                                           .run = run_create};
const struct command COMMAND_KEY_LIST = {.name = "key list",
                                         .summary = "List an account's keys",
                                         .options = {LIST_OPTIONS, COUNT_OF(LIST_OPTIONS)},
                                         .config_size = sizeof(struct key_config),
                                         .run = run_list};
const struct command COMMAND_KEY_REVOKE = {.name = "key revoke",
                                           .summary = "Refuse a key from now on",
                                           .options = {REVOKE_OPTIONS, COUNT_OF(REVOKE_OPTIONS)},
                                           .config_size = sizeof(struct key_config),
                                           .run = run_revoke};
