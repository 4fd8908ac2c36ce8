#include "cmd/job.h"

#include "cmd/admin_command.h"

#include <stdio.h>

struct job_config {
    struct admin_options admin;
    const char *id;
};

static void print_candidate(struct json_value candidate) {
    char id[48], name[40], why[256];
    printf("           %s %-26s %-16s %s\n", table_flag(candidate, "chosen") ? "*" : " ",
           table_cell(candidate, "provider_id", id, sizeof(id)), table_cell(candidate, "name", name, sizeof(name)),
           table_cell(candidate, "why", why, sizeof(why)));
}

static void print_candidates(struct json_value object, const char *member) {
    struct json_value list, item = {0};
    struct json_iterator iterator;
    if (!json_get(object, member, &list)) {
        return;
    }
    for (json_iterate(list, &iterator); json_next(&iterator, NULL, &item);) {
        print_candidate(item);
    }
}

static void print_step(struct json_value step) {
    char at[24], state[24], why[64], attempt[16], id[48];
    struct json_value candidates;
    table_cell(step, "at_ms", at, sizeof(at));
    if (json_get(step, "candidates", &candidates)) {
        printf("%7s ms attempt %s on %s%s\n", at, table_cell(step, "attempt", attempt, sizeof(attempt)),
               table_cell(step, "provider_id", id, sizeof(id)),
               table_flag(step, "continues") ? ", which goes on behind the text delivered so far" : "");
        print_candidates(step, "candidates");
    } else {
        printf("%7s ms %s (%s)\n", at, table_cell(step, "state", state, sizeof(state)),
               table_cell(step, "why", why, sizeof(why)));
    }
}

static void print_job(struct json_value job) {
    char id[48], model[136], outcome[24], total[24];
    struct json_value steps, item = {0};
    struct json_iterator iterator;
    const bool live = table_cell(job, "outcome", outcome, sizeof(outcome))[0] == '-';
    printf("%s  %s  %s\n", table_cell(job, "id", id, sizeof(id)), table_cell(job, "model", model, sizeof(model)),
           live ? "running" : outcome);
    if (json_get(job, "steps", &steps)) {
        for (json_iterate(steps, &iterator); json_next(&iterator, NULL, &item);) {
            print_step(item);
        }
    }
    if (live) {
        printf("Now, of %s devices with the model:\n", table_cell(job, "devices_with_model", total, sizeof(total)));
        print_candidates(job, "now");
    }
}

static int run_explain(const void *parsed) {
    const struct job_config *config = parsed;
    const struct admin_object job = {"/admin/jobs/", config->id, ""};
    return admin_command_on(&config->admin, "GET", &job, STR(""), print_job);
}

static const struct option OPTIONS[] = {
    {"id", OPTION_ARGUMENT, "ID", NULL, "the answer's id, such as chatcmpl-...", offsetof(struct job_config, id)},
    ADMIN_OPTIONS(struct job_config),
};

const struct command COMMAND_JOB_EXPLAIN = {.name = "job explain",
                                            .summary = "Tell what happened to a request and why",
                                            .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                            .config_size = sizeof(struct job_config),
                                            .run = run_explain};
