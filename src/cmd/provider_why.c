#include "cmd/provider_why.h"

#include "cmd/admin_command.h"
#include "cmd/gateway_client.h"

#include <stdio.h>

enum { OWNER_PAGE = 100 };

struct why_config {
    struct admin_options admin;
    const char *id, *gateway, *key, *ca_file, *after;
};

static void print_record(struct json_value device) {
    struct json_value record = {0};
    char jobs[24], failures[24], success[16], uptime[16];
    (void)json_get(device, "record", &record);
    printf("  %s jobs, %s failed; success %s/1000, up %s/1000\n", table_cell(record, "jobs", jobs, sizeof(jobs)),
           table_cell(record, "failures", failures, sizeof(failures)),
           table_cell(record, "success_permille", success, sizeof(success)),
           table_cell(record, "uptime_permille", uptime, sizeof(uptime)));
}

static void print_device(struct json_value device) {
    char id[48], name[64], state[24], since[40], heat[16];
    struct json_value why, item = {0};
    struct json_iterator iterator;
    struct str sentence;
    char text[TABLE_CELL_SIZE];
    printf("%s %s: %s since %s, heat %s\n", table_cell(device, "id", id, sizeof(id)),
           table_cell(device, "name", name, sizeof(name)), table_cell(device, "state", state, sizeof(state)),
           table_cell(device, "since", since, sizeof(since)), table_cell(device, "heat", heat, sizeof(heat)));
    print_record(device);
    if (!json_get(device, "why", &why)) { /* no gateway runs: the store alone was asked */
        printf("  The gateway is not running.\n");
        return;
    }
    for (json_iterate(why, &iterator); json_next(&iterator, NULL, &item);) {
        if (json_as_str(item, &sentence)) {
            printf("  %s\n", table_clean(sentence, text, sizeof(text)));
        }
    }
}

static void print_devices(struct json_value answer) {
    struct json_value data;
    if (json_get(answer, "data", &data) && json_count(data) == 0) {
        printf("There are no devices: nataris provider joins one.\n");
    }
    table_print_items(answer, print_device, "--after", "id");
}

static bool make_path(const struct why_config *config, const char *list, char path[ADMIN_PATH_MAX], struct err *err) {
    char prefix[ADMIN_PATH_MAX];
    if (config->id == NULL) {
        return admin_page_path(path, list, OWNER_PAGE, "after", config->after, err);
    }
    snprintf(prefix, sizeof(prefix), "%s/", list);
    return admin_path(path, prefix, config->id, "", err);
}

static int ask_gateway(const struct why_config *config, void (*print)(struct json_value answer)) {
    const struct gateway_client client = {.url = config->gateway, .key = config->key, .ca_file = config->ca_file};
    struct admin_reply reply = {0};
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    int status = COMMAND_OK;
    if (!make_path(config, "/v1/provider/devices", path, &err) || !gateway_client_get(&client, path, &reply, &err)) {
        status = command_fail(&err);
    } else if (config->admin.json) {
        printf("%s\n", buf_cstr(&reply.text));
    } else {
        print(reply.root);
    }
    admin_reply_clear(&reply);
    return status;
}

static int run_why(const void *parsed) {
    const struct why_config *config = parsed;
    void (*print)(struct json_value answer) = config->id != NULL ? print_device : print_devices;
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (config->gateway != NULL && config->key != NULL) {
        return ask_gateway(config, print);
    }
    if (config->gateway != NULL || config->admin.data == NULL) {
        err_set(&err, ERR_INVALID,
                "--gateway URL and --key KEY are needed (an owner's live key), or --data DIR on the gateway's machine");
        return command_misused(&err);
    }
    if (!make_path(config, "/admin/providers", path, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(&config->admin, "GET", path, STR(""), print);
}

#define AT(member) offsetof(struct why_config, member)
static const struct option OPTIONS[] = {
    {"id", OPTION_ARGUMENT_OPTIONAL, "ID", NULL, "the device, such as prov_...; default: all", AT(id)},
    {"gateway", OPTION_TEXT, "URL", NULL, "the gateway, for an owner", AT(gateway)},
    {"key", OPTION_TEXT, "KEY", NULL, "the owner's live API key; better NATARIS_KEY, which others do not see", AT(key)},
    {"ca-file", OPTION_TEXT, "FILE", NULL, "authorities (PEM) to trust for https; default: the system's", AT(ca_file)},
    {"after", OPTION_TEXT, "ID", NULL, "only devices behind this one", AT(after)},
    ADMIN_OPTIONS(struct why_config),
};
#undef AT

const struct command COMMAND_PROVIDER_WHY = {.name = "provider why",
                                             .summary = "Tell why devices get no jobs, and what to do",
                                             .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                             .config_size = sizeof(struct why_config),
                                             .run = run_why};
