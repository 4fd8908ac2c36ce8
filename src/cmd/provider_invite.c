#include "cmd/provider_invite.h"

#include "cmd/command.h"
#include "cmd/data_folder.h"
#include "cmd/json_line.h"
#include "cmd/network.h"
#include "cmd/owner.h"
#include "gateway/database.h"

#include <stdio.h>

enum { LINE_MAX_BYTES = 4096 };

struct invite_config {
    const char *config, *data, *url, *account;
    uint32_t hours, uses;
    bool json;
};

static void print_json(const char *token, const char *url) {
    struct json_line line;
    json_line_begin(&line, LINE_MAX_BYTES);
    json_begin_object(&line.writer);
    json_member_cstr(&line.writer, "token", token);
    json_member_cstr(&line.writer, "url", url);
    json_end_object(&line.writer);
    json_line_print(&line);
}

struct search {
    const char *id;
    struct store_account *found;
};

static bool on_account(void *context, const struct store_account *account) {
    const struct search *search = context;
    if (str_equal_cstr(str_from(account->id), search->id)) {
        *search->found = *account;
    }
    return true;
}

/* Whose device it becomes. */
static bool find_account(struct store *store, const char *id, struct store_account *out, struct err *err) {
    struct search search = {.id = id, .found = out};
    if (id == NULL) {
        return store_account_owner(store, out, err);
    }
    return store_each_account(store, on_account, &search, err) &&
           (out->id[0] != '\0' || err_set(err, ERR_NOT_FOUND, "there is no account '%.64s'", id));
}

static bool invite(const struct invite_config *config, char token[JOIN_TOKEN_SIZE], char *url, size_t url_size,
                   struct err *err) {
    struct store *store = NULL;
    struct owner owner = {0};
    if (config->uses == 0) {
        return err_set(err, ERR_INVALID, "--uses must be at least 1");
    }
    if (!data_folder_open_store(config->data, &store, err)) {
        return false;
    }
    bool ok = find_account(store, config->account, &owner.account, err) &&
              (!owner.account.suspended ||
               err_set(err, ERR_CONFLICT, "the account %s is suspended: no device joins it", owner.account.id)) &&
              owner_invite(store, &owner, config->hours, config->uses, token, err);
    if (ok && config->url != NULL) {
        ok = str_copy(url, url_size, str_from(config->url)) || err_set(err, ERR_INVALID, "--url is too long");
    } else if (ok) {
        ok = store_setting_get(store, "origin", url, url_size, err);
    }
    store_close(store);
    return ok;
}

static int run_invite(const void *parsed) {
    const struct invite_config *config = parsed;
    char token[JOIN_TOKEN_SIZE], url[NETWORK_URL_SIZE];
    struct err err = {0};
    if (!invite(config, token, url, sizeof(url), &err)) {
        return command_fail(&err);
    }
    if (config->json) {
        print_json(token, url);
    } else {
        printf(config->uses == 1 ? "On the other device, within %u hours:\n\n"
                                 : "On each of the other devices, within %u hours:\n\n",
               config->hours);
        printf("  nataris provider --gateway %s --join %s --data ~/.nataris\n", url, token);
    }
    return COMMAND_OK;
}

#define AT(member) offsetof(struct invite_config, member)
static const struct option OPTIONS[] = {
    {"data", OPTION_TEXT, "DIR", NULL, "the gateway's data folder", AT(data)},
    {"account", OPTION_TEXT, "ACCOUNT", NULL, "who earns with the device; default: the operator's own", AT(account)},
    {"url", OPTION_TEXT, "URL", NULL, "the gateway's address as the device sees it, when it differs", AT(url)},
    {"hours", OPTION_NUMBER, "N", "24", "how long the token is good", AT(hours)},
    {"uses", OPTION_NUMBER, "N", "1", "how many devices may join with it", AT(uses)},
    {"json", OPTION_FLAG, NULL, NULL, "print {\"token\",\"url\"}", AT(json)},
    OPTION_CONFIG_FILE(struct invite_config, config),
};
#undef AT

const struct command COMMAND_PROVIDER_INVITE = {.name = "provider invite",
                                                .summary = "Make a join token for one more device",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct invite_config),
                                                .run = run_invite};
