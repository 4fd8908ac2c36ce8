#include "cmd/gateway_status.h"

#include "cmd/admin_command.h"
#include "cmd/model_text.h"

#include <stdio.h>
#include <string.h>

struct status_config {
    struct admin_options admin;
};

/* In the order in which more and more is left out. */
static const char *disk_words(const char *state) {
    if (strcmp(state, "low") == 0) {
        return "LOW: nothing new is taken on, no webhook is sent, no audit is written to its journal";
    }
    if (strcmp(state, "scarce") == 0) {
        return "SCARCE: besides, events of webhooks are dropped. Make room";
    }
    return state;
}

/* "61.5 GB" */
static const char *bytes_words(struct json_value part, const char *member, char out[MODEL_TEXT_SIZE]) {
    struct json_value value;
    int64_t bytes = 0;
    (void)(json_get(part, member, &value) && json_as_int64(value, &bytes));
    return model_text_bytes((uint64_t)bytes, out);
}

static void print_status(struct json_value answer) {
    static const struct table_line LINES[] = {
        {"Devices", "devices"}, {"Running", "jobs_running"}, {"Queued", "jobs_queued"}, {"Clients", "connections"}};
    char a[32], b[32], c[32], d[32];
    struct json_value part = {0};
    table_print_lines(answer, 10, LINES, COUNT_OF(LINES));
    if (json_get(answer, "disk", &part)) {
        printf("Disk      %s free, the floor is %s; was low %s times: %s\n", bytes_words(part, "free_bytes", a),
               bytes_words(part, "floor_bytes", b), table_cell(part, "times_low", c, sizeof(c)),
               disk_words(table_cell(part, "state", d, sizeof(d))));
    }
    if (json_get(answer, "webhooks", &part)) {
        printf("Webhooks  %s under way%s, %s delivered, ", table_cell(part, "running", a, sizeof(a)),
               table_flag(part, "paused") ? " (paused)" : "", table_cell(part, "delivered", b, sizeof(b)));
        printf("%s given up, %s dropped\n", table_cell(part, "failed", c, sizeof(c)),
               table_cell(part, "dropped", d, sizeof(d)));
    }
    if (json_get(answer, "audits", &part)) {
        printf("Audits    %s scored, %s past the bound, %s not written at once\n",
               table_cell(part, "scored", a, sizeof(a)), table_cell(part, "failed", b, sizeof(b)),
               table_cell(part, "unwritten", c, sizeof(c)));
    }
}

static int run_status(const void *parsed) {
    const struct status_config *config = parsed;
    return admin_command_run(&config->admin, "GET", "/admin/status", STR(""), print_status);
}

static const struct option OPTIONS[] = {
    ADMIN_OPTIONS(struct status_config),
};

const struct command COMMAND_GATEWAY_STATUS = {.name = "gateway status",
                                               .summary = "What a running gateway does, and how its disk is",
                                               .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                               .config_size = sizeof(struct status_config),
                                               .run = run_status};
