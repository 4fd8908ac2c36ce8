/* nataris provider list, verify, unverify, review: the operator's view of all devices. */
#include "cmd/admin_command.h"

#include <stdio.h>

struct devices_config {
    struct admin_options admin;
    const char *id, *after, *before, *clear;
    uint32_t limit;
};

/* "3 of 4 ok, 98% up" of the member `record`. */
static const char *record_text(struct json_value device, char *out, size_t size) {
    struct json_value record = {0};
    char jobs[24], success[16], uptime[16];
    (void)json_get(device, "record", &record);
    snprintf(out, size, "%s jobs, success %s/1000, up %s/1000", admin_cell(record, "jobs", jobs, sizeof jobs),
             admin_cell(record, "success_permille", success, sizeof success),
             admin_cell(record, "uptime_permille", uptime, sizeof uptime));
    return out;
}

static void print_device(struct json_value device) {
    char id[48], name[32], state[24], heat[16], active[16], record[96];
    printf("%-26s %-18s %-12s %-9s %-6s %-8s %s\n", admin_cell(device, "id", id, sizeof id),
           admin_cell(device, "name", name, sizeof name), admin_cell(device, "state", state, sizeof state),
           admin_cell(device, "heat", heat, sizeof heat), admin_cell(device, "active_jobs", active, sizeof active),
           admin_flag(device, "verified") ? "yes" : "no", record_text(device, record, sizeof record));
}

static void print_devices(struct json_value answer) {
    printf("%-26s %-18s %-12s %-9s %-6s %-8s %s\n", "ID", "NAME", "STATE", "HEAT", "ACTIVE", "VERIFIED", "RECORD");
    admin_print_rows(answer, print_device, "--after", "id");
}

static int run_list(const void *parsed) {
    const struct devices_config *config = parsed;
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_page_path(path, "/admin/providers", config->limit, "after", config->after, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(&config->admin, "GET", path, STR(""), print_devices);
}

static void print_changed(struct json_value device) {
    char id[48];
    printf("%s is %sverified\n", admin_cell(device, "id", id, sizeof id), admin_flag(device, "verified") ? "" : "not ");
}

static int set_verified(const struct devices_config *config, const char *body) {
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (!admin_path(path, "/admin/providers/", config->id, "", &err)) {
        return command_fail(&err);
    }
    return admin_command_run(&config->admin, "PATCH", path, str_from(body), print_changed);
}

static int run_verify(const void *parsed) {
    return set_verified(parsed, "{\"verified\":true}");
}

static int run_unverify(const void *parsed) {
    return set_verified(parsed, "{\"verified\":false}");
}

static void print_review(struct json_value line) {
    char number[24], at[32], id[48], name[32], reason[32], job[48];
    printf("%-6s %-24s %-26s %-18s %-12s %s\n", admin_cell(line, "number", number, sizeof number),
           admin_cell(line, "at", at, sizeof at), admin_cell(line, "provider_id", id, sizeof id),
           admin_cell(line, "name", name, sizeof name), admin_cell(line, "reason", reason, sizeof reason),
           admin_cell(line, "job_id", job, sizeof job));
}

static void print_reviews(struct json_value answer) {
    printf("%-6s %-24s %-26s %-18s %-12s %s\n", "NUMBER", "AT", "ID", "NAME", "REASON", "JOB");
    admin_print_rows(answer, print_review, "--before", "number");
}

static void print_cleared(struct json_value device) {
    char id[48];
    printf("%s has no lines on the review list any more\n", admin_cell(device, "id", id, sizeof id));
}

static int run_review(const void *parsed) {
    const struct devices_config *config = parsed;
    char path[ADMIN_PATH_MAX];
    struct err err = {0};
    if (config->clear != NULL) {
        return admin_path(path, "/admin/providers/", config->clear, "/reviews", &err)
                   ? admin_command_run(&config->admin, "DELETE", path, STR(""), print_cleared)
                   : command_fail(&err);
    }
    if (!admin_page_path(path, "/admin/reviews", config->limit, "before", config->before, &err)) {
        return command_fail(&err);
    }
    return admin_command_run(&config->admin, "GET", path, STR(""), print_reviews);
}

#define AT(member) offsetof(struct devices_config, member)
static const struct option LIST_OPTIONS[] = {
    {"limit", OPTION_NUMBER, "N", "100", "devices at most, up to 1000; in order of creation", AT(limit)},
    {"after", OPTION_TEXT, "ID", NULL, "only those behind this one", AT(after)},
    ADMIN_OPTIONS(struct devices_config),
};
static const struct option ID_OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the device, such as prov_...", AT(id)},
    ADMIN_OPTIONS(struct devices_config),
};
static const struct option REVIEW_OPTIONS[] = {
    {"clear", OPTION_TEXT, "ID", NULL, "take this device's lines off the list", AT(clear)},
    {"limit", OPTION_NUMBER, "N", "100", "lines at most, up to 1000; the newest come first", AT(limit)},
    {"before", OPTION_TEXT, "NUMBER", NULL, "only lines before this one", AT(before)},
    ADMIN_OPTIONS(struct devices_config),
};
#undef AT

#define DEVICES_COMMAND(command_name, words, option_list, function)                                                    \
    {                                                                                                                  \
        .name = (command_name), .summary = (words), .options = {option_list, COUNT_OF(option_list)},                   \
        .config_size = sizeof(struct devices_config), .run = (function)                                                \
    }

const struct command COMMAND_PROVIDER_LIST = DEVICES_COMMAND(
    "provider list", "List all devices: what they do and how reliable they are", LIST_OPTIONS, run_list);
const struct command COMMAND_PROVIDER_VERIFY = DEVICES_COMMAND(
    "provider verify", "Let a device serve requests that ask for verified ones", ID_OPTIONS, run_verify);
const struct command COMMAND_PROVIDER_UNVERIFY =
    DEVICES_COMMAND("provider unverify", "Take that back", ID_OPTIONS, run_unverify);
const struct command COMMAND_PROVIDER_REVIEW =
    DEVICES_COMMAND("provider review", "List what devices claimed or did that cannot be", REVIEW_OPTIONS, run_review);
