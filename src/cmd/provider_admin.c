#include "cmd/provider_admin.h"

#include "cmd/admin_command.h"
#include "cmd/provider_audits.h"

#include <stdio.h>

struct devices_config {
    struct admin_options admin;
    const char *id, *after, *before, *clear, *accept, *dismiss, *show, *note;
    bool remove, forfeit;
    uint32_t limit;
};

/* "4 jobs, success 990/1000, up 980/1000" of the member `record`. */
static const char *record_text(struct json_value device, char *out, size_t size) {
    struct json_value record = {0};
    char jobs[24], success[16], uptime[16];
    (void)json_get(device, "record", &record);
    snprintf(out, size, "%s jobs, success %s/1000, up %s/1000", table_cell(record, "jobs", jobs, sizeof(jobs)),
             table_cell(record, "success_permille", success, sizeof(success)),
             table_cell(record, "uptime_permille", uptime, sizeof(uptime)));
    return out;
}

static void print_devices(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"ID", -26, "id", 47, NULL},
        {"NAME", -18, "name", 31, NULL},
        {"STATE", -12, "state", 0, NULL},
        {"HEAT", -9, "heat", 0, NULL},
        {"ACTIVE", -6, "active_jobs", 0, NULL},
        {"VERIFIED", -8, "verified", 0, NULL},
        {"RECORD", 0, NULL, 0, record_text},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--after", "id"};
    table_print_list(&TABLE, answer);
}

static int run_list(const void *parsed) {
    const struct devices_config *config = parsed;
    const struct admin_page page = {config->limit, "after", config->after};
    return admin_command_list(&config->admin, "/admin/providers", &page, print_devices);
}

static void print_changed(struct json_value device) {
    char id[48];
    printf("%s is %sverified\n", table_cell(device, "id", id, sizeof(id)),
           table_flag(device, "verified") ? "" : "not ");
}

static int set_verified(const struct devices_config *config, const char *body) {
    const struct admin_object device = {"/admin/providers/", config->id, ""};
    return admin_command_on(&config->admin, "PATCH", &device, str_from(body), print_changed);
}

static int run_verify(const void *parsed) {
    return set_verified(parsed, "{\"verified\":true}");
}

static int run_unverify(const void *parsed) {
    return set_verified(parsed, "{\"verified\":false}");
}

/* "sums flatter 0.0, ..., far 16.0; 5 of 40 tokens far in JOB" of a line of audits, of others the job. */
static const char *found_text(struct json_value line, char *out, size_t size) {
    struct json_value audit = {0}, finding = {0};
    char sums[PROVIDER_AUDITS_RATIOS_SIZE], far[16], tokens[16], job[48];
    if (!json_get(line, "audit", &audit) || !json_get(audit, "finding", &finding)) {
        return table_cell(line, "job_id", out, size);
    }
    snprintf(out, size, "sums %s; %s of %s tokens far%s in %s",
             provider_audits_ratios(audit, "sums", sums, sizeof(sums)),
             table_cell(finding, "far_tokens", far, sizeof(far)), table_cell(finding, "tokens", tokens, sizeof(tokens)),
             table_flag(finding, "contradicts") ? ", its words contradict each other," : "",
             table_cell(finding, "job_id", job, sizeof(job)));
    return out;
}

static void print_reviews(struct json_value answer) {
    static const struct table_column COLUMNS[] = {
        {"NUMBER", -6, "number", 0, NULL}, {"AT", -24, "at", 0, NULL},          {"ID", -26, "provider_id", 47, NULL},
        {"NAME", -18, "name", 31, NULL},   {"REASON", -12, "reason", 31, NULL}, {"FOUND", 0, NULL, 0, found_text},
    };
    static const struct table TABLE = {COLUMNS, COUNT_OF(COLUMNS), "--before", "number"};
    table_print_list(&TABLE, answer);
}

static void print_cleared(struct json_value device) {
    char id[48];
    printf("%s has no lines on the review list any more\n", table_cell(device, "id", id, sizeof(id)));
}

static void print_finding(struct json_value device) {
    char id[48], standing[16], amount[32], given[32];
    printf("%s: %s; $%s that it earned is out of escrow ($%s of it given credit)\n",
           table_cell(device, "id", id, sizeof(id)), table_cell(device, "standing", standing, sizeof(standing)),
           table_cell(device, "amount_usd", amount, sizeof(amount)),
           table_cell(device, "given_usd", given, sizeof(given)));
}

/* What was found about a device is right, or it is wrong. */
static int decide(const struct devices_config *config, const char *id, const char *action) {
    const struct admin_object device = {"/admin/providers/", id, "/reviews"};
    struct buf body;
    struct json_writer writer;
    admin_body_begin(&body, &writer);
    json_member_cstr(&writer, "action", action);
    if (config->accept != NULL) {
        json_member_bool(&writer, "remove", config->remove);
        json_member_cstr(&writer, "escrow", config->forfeit ? "forfeit" : "return");
    }
    json_member_cstr(&writer, "note", config->note);
    const int status = admin_command_on(&config->admin, "POST", &device, admin_body_end(&body, &writer), print_finding);
    buf_clear(&body);
    return status;
}

/* ERR_INVALID: these do not go together. */
static bool check_review(const struct devices_config *config, struct err *err) {
    const int words =
        (config->accept != NULL) + (config->dismiss != NULL) + (config->clear != NULL) + (config->show != NULL);
    if (words > 1) {
        return err_set(err, ERR_INVALID, "give one of --show, --accept, --dismiss and --clear");
    }
    return config->accept != NULL || (!config->remove && !config->forfeit) ||
           err_set(err, ERR_INVALID, "--remove and --forfeit go with --accept");
}

static int run_review(const void *parsed) {
    const struct devices_config *config = parsed;
    struct err err;
    const struct admin_page page = {config->limit, "before", config->before};
    const struct admin_object cleared = {"/admin/providers/", config->clear, "/reviews"};
    if (!check_review(config, &err)) {
        return command_misused(&err);
    }
    if (config->accept != NULL) {
        return decide(config, config->accept, "accept");
    }
    if (config->dismiss != NULL) {
        return decide(config, config->dismiss, "dismiss");
    }
    if (config->show != NULL) {
        const struct admin_object shown = {"/admin/providers/", config->show, ""};
        return admin_command_on(&config->admin, "GET", &shown, STR(""), provider_audits_print);
    }
    if (config->clear != NULL) {
        return admin_command_on(&config->admin, "DELETE", &cleared, STR(""), print_cleared);
    }
    return admin_command_list(&config->admin, "/admin/reviews", &page, print_reviews);
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
    {"show", OPTION_TEXT, "ID", NULL,
     "all that audits have found of this device: the sums, and the four ratios of each audit", AT(show)},
    {"accept", OPTION_TEXT, "ID", NULL,
     "what was found is right: this device goes into quarantine, its escrow back to those who paid", AT(accept)},
    {"remove", OPTION_FLAG, NULL, NULL, "with --accept: it is removed, for good", AT(remove)},
    {"forfeit", OPTION_FLAG, NULL, NULL, "with --accept: its escrow goes to the network", AT(forfeit)},
    {"dismiss", OPTION_TEXT, "ID", NULL,
     "what was found is wrong: the quarantine of audits ends, and its escrow is its owner's", AT(dismiss)},
    {"note", OPTION_TEXT, "TEXT", NULL, "why, for the ledger and the audit log", AT(note)},
    {"clear", OPTION_TEXT, "ID", NULL, "only take this device's lines off the list", AT(clear)},
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
