#include "cmd/provider_status.h"

#include "base/str.h"
#include "cmd/table.h"

#include <inttypes.h>
#include <stdio.h>

struct cell {
    char text[TABLE_CELL_SIZE];
};

static const char *cell(struct cell *out, struct json_value object, const char *name) {
    return table_cell(object, name, out->text, sizeof(out->text));
}

static bool is_given(struct json_value object, const char *name) {
    struct json_value value;
    return json_get(object, name, &value) && json_type_of(value) != JSON_NULL;
}

static int64_t number(struct json_value object, const char *name) {
    struct json_value value;
    int64_t out = 0;
    return json_get(object, name, &value) && json_as_int64(value, &out) ? out : 0;
}

static void print_link(struct json_value status) {
    struct cell a, b;
    printf("%-11s %s (%s)\n", "Provider", cell(&a, status, "provider_id"), cell(&b, status, "name"));
    printf("%-11s %s\n", "Gateway", cell(&a, status, "gateway"));
    printf("%-11s %s since %s\n", "Link", table_flag(status, "connected") ? "connected" : "not connected",
           cell(&a, status, "since"));
}

static void print_pause(struct json_value status) {
    struct json_value pause = {0};
    struct cell reason, until;
    (void)json_get(status, "pause", &pause);
    if (table_flag(status, "draining")) {
        printf("%-11s no: it is stopping\n", "Takes jobs");
    } else if (!is_given(pause, "reason")) {
        printf("%-11s yes\n", "Takes jobs");
    } else {
        printf("%-11s no: %s%s%s\n", "Takes jobs", cell(&reason, pause, "reason"),
               is_given(pause, "until") ? ", or " : "", is_given(pause, "until") ? cell(&until, pause, "until") : "");
    }
}

static void print_models(struct json_value status) {
    struct json_value models, model;
    struct json_iterator iterator;
    const char *label = "Models";
    if (!json_get(status, "models", &models)) {
        return;
    }
    for (json_iterate(models, &iterator); json_next(&iterator, NULL, &model); label = "") {
        struct cell id, state;
        printf("%-11s %s: %s", label, cell(&id, model, "id"), cell(&state, model, "state"));
        const int64_t total = number(model, "bytes_total");
        if (total > 0) {
            printf(" %.0f%%", 100 * (double)number(model, "bytes_done") / (double)total);
        } else if (number(model, "slots") > 0) {
            printf(", %" PRId64 " slots of %" PRId64 " tokens", number(model, "slots"),
                   number(model, "context_length"));
        }
        printf("\n");
    }
}

static void print_work(struct json_value status) {
    struct json_value jobs = {0}, tokens = {0};
    (void)json_get(status, "jobs", &jobs);
    (void)json_get(status, "tokens", &tokens);
    printf("%-11s %" PRId64 " running, %" PRId64 " served, %" PRId64 " failed, %" PRId64 " refused, %" PRId64
           " handed back\n",
           "Jobs", number(jobs, "running"), number(jobs, "served"), number(jobs, "failed"), number(jobs, "refused"),
           number(jobs, "handed_back"));
    printf("%-11s %" PRId64 " read, %" PRId64 " written\n", "Tokens", number(tokens, "prompt"),
           number(tokens, "completion"));
}

static void print_device(struct json_value status) {
    struct json_value device = {0};
    struct cell value;
    (void)json_get(status, "device", &device);
    printf("%-11s ", "Device");
    if (is_given(device, "battery_percent")) {
        printf("battery %" PRId64 "%% %s, ", number(device, "battery_percent"),
               table_flag(device, "charging") ? "charging" : "discharging");
    }
    printf("heat %s", cell(&value, device, "heat"));
    if (is_given(device, "celsius")) {
        printf(" (%" PRId64 " C)", number(device, "celsius"));
    }
    printf(", network %s", table_flag(device, "metered") ? "metered" : "free");
    if (is_given(device, "idle_s")) {
        printf(", last used %" PRId64 " s ago", number(device, "idle_s"));
    }
    printf(", %" PRId64 " MB of memory free\n", number(device, "ram_free_bytes") / 1000000);
}

/* Limits that are set, each by its option's name. */
static void print_limits(struct json_value status) {
    struct json_value limits = {0}, value;
    struct json_iterator iterator;
    struct str name;
    bool any = false;
    (void)json_get(status, "limits", &limits);
    printf("%-11s", "Limits");
    for (json_iterate(limits, &iterator); json_next(&iterator, &name, &value);) {
        char option[64];
        struct cell text;
        bool truth = true;
        int64_t count = 1;
        (void)str_copy(option, sizeof(option), name);
        (void)json_as_bool(value, &truth);
        (void)json_as_int64(value, &count);
        if (!truth || count == 0 || json_type_of(value) == JSON_NULL) {
            continue;
        }
        printf("%s %s %s", any ? "," : "", option, cell(&text, limits, option));
        any = true;
    }
    printf("%s\n", any ? "" : " none");
}

void provider_status_print(struct json_value status) {
    struct json_value error;
    struct cell message, at;
    print_link(status);
    print_pause(status);
    print_models(status);
    print_work(status);
    print_device(status);
    print_limits(status);
    if (json_get(status, "last_error", &error) && json_type_of(error) == JSON_OBJECT) {
        printf("%-11s %s (%s)\n", "Last error", cell(&message, error, "message"), cell(&at, error, "at"));
    }
}
