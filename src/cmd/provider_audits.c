#include "cmd/provider_audits.h"

#include "cmd/admin_command.h"
#include "wire/score.h"

#include <stdio.h>

struct audits_config {
    struct admin_options admin;
    const char *id;
};

const char *provider_audits_ratios(struct json_value object, const char *name, char *out, size_t size) {
    struct json_value ratios = {0}, value;
    size_t used = 0;
    out[0] = '\0';
    (void)json_get(object, name, &ratios);
    for (int i = 0; i < GEN_RATIO_COUNT && used < size; i++) {
        const char *ratio = gen_ratio_name((enum gen_ratio)i);
        double number = 0;
        if (json_get(ratios, ratio, &value)) {
            (void)json_as_double(value, &number);
        }
        const int written = snprintf(out + used, size - used, "%s%s %.1f", i > 0 ? ", " : "", ratio, number);
        used += written > 0 ? (size_t)written : 0;
    }
    return out;
}

static void print_ratios(struct json_value object, const char *name) {
    char text[PROVIDER_AUDITS_RATIOS_SIZE];
    printf("%s", provider_audits_ratios(object, name, text, sizeof(text)));
}

static void print_audit(struct json_value audit) {
    char at[40], verdict[16], tokens[16], far[16], job[48];
    printf("  %s %-8s %s tokens, %s far: ", table_cell(audit, "at", at, sizeof(at)),
           table_cell(audit, "verdict", verdict, sizeof(verdict)), table_cell(audit, "tokens", tokens, sizeof(tokens)),
           table_cell(audit, "far_tokens", far, sizeof(far)));
    if (table_flag(audit, "contradicts")) {
        printf("the device's words contradict each other");
    } else {
        print_ratios(audit, "ratios");
    }
    printf("; %s%s\n", table_flag(audit, "canary") ? "made up, " : "", table_cell(audit, "job_id", job, sizeof(job)));
}

static void print_file(struct json_value file) {
    char model[132], sha256[70], count[16], passed[16];
    struct json_value last, item = {0};
    struct json_iterator iterator;
    printf("%s (%.12s...): %s audits, %s passed%s\n  sums: ", table_cell(file, "model", model, sizeof(model)),
           table_cell(file, "sha256", sha256, sizeof(sha256)), table_cell(file, "count", count, sizeof(count)),
           table_cell(file, "passed", passed, sizeof(passed)),
           table_flag(file, "failed") ? "; FAILED: its answers are not those of the model" : "");
    print_ratios(file, "sums");
    printf(" (alert above 4, failed above 12.9)\n");
    if (json_get(file, "last", &last)) {
        for (json_iterate(last, &iterator); json_next(&iterator, NULL, &item);) {
            print_audit(item);
        }
    }
}

void provider_audits_print(struct json_value device) {
    struct json_value audits, item = {0};
    struct json_iterator iterator;
    if (!json_get(device, "audits", &audits)) { /* the store alone was asked */
        printf("The gateway is not running: start it, then ask again.\n");
        return;
    }
    if (json_count(audits) == 0) {
        printf("No answer of this device has been audited yet.\n");
    }
    for (json_iterate(audits, &iterator); json_next(&iterator, NULL, &item);) {
        print_file(item);
    }
}

static int run(const void *parsed) {
    const struct audits_config *config = parsed;
    const struct admin_object device = {"/admin/providers/", config->id, ""};
    return admin_command_on(&config->admin, "GET", &device, STR(""), provider_audits_print);
}

static const struct option OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the device, such as prov_...", offsetof(struct audits_config, id)},
    ADMIN_OPTIONS(struct audits_config),
};

const struct command COMMAND_PROVIDER_AUDITS = {
    .name = "provider audits",
    .summary = "Show what audits of a device's answers have found",
    .options = {OPTIONS, COUNT_OF(OPTIONS)},
    .config_size = sizeof(struct audits_config),
    .run = run,
};
