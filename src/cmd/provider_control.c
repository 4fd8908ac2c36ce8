#include "cmd/provider_control.h"

#include "base/clock.h"
#include "cmd/control_client.h"
#include "cmd/json_line.h"
#include "cmd/provider_status.h"
#include "provider/pause_file.h"

#include <stdio.h>

enum { TEXT_MAX = 4096 };

struct control_command {
    const char *config, *data, *length;
    bool json;
};

static bool check_data(const struct control_command *config, struct err *err) {
    return config->data != NULL || err_set(err, ERR_INVALID, "--data DIR is needed: the provider's data folder");
}

static void print_stopped(const struct control_command *config, const struct owner_pause *pause) {
    char until[CLOCK_TEXT_SIZE];
    clock_format_utc(pause->until_ms, until);
    printf("No provider runs on %s%s%s.\n", config->data, pause->paused ? "; paused until " : "",
           !pause->paused         ? ""
           : pause->until_ms == 0 ? "resumed"
                                  : until);
}

static void print_stopped_json(const struct owner_pause *pause) {
    struct json_line line;
    json_line_begin(&line, TEXT_MAX);
    json_begin_object(&line.writer);
    json_member_bool(&line.writer, "running", false);
    json_member_bool(&line.writer, "paused", pause->paused);
    json_line_time(&line, "until", pause->paused ? pause->until_ms : 0);
    json_end_object(&line.writer);
    json_line_print(&line);
}

/* No provider runs: what can be told from the folder alone. */
static int show_stopped(const struct control_command *config, int status) {
    struct owner_pause pause;
    struct err err = {0};
    if (!pause_file_read(config->data, &pause, &err)) {
        return command_fail(&err);
    }
    pause.paused = owner_pause_holds(&pause, clock_wall_ms());
    if (config->json) {
        print_stopped_json(&pause);
    } else {
        print_stopped(config, &pause);
    }
    return status;
}

static void show(const struct control_command *config, struct control_reply *reply) {
    if (config->json) {
        printf("%s\n", buf_cstr(&reply->text));
    } else {
        provider_status_print(reply->root);
    }
}

static int run_status(const void *parsed) {
    const struct control_command *config = parsed;
    struct control_reply reply = {0};
    struct err err = {0};
    int status = COMMAND_OK;
    if (!check_data(config, &err)) {
        return command_misused(&err);
    }
    switch (control_client_call(config->data, "GET", "/status", STR(""), &reply, &err)) {
    case SOCKET_ANSWERED:
        show(config, &reply);
        break;
    case SOCKET_NOBODY:
        status = show_stopped(config, COMMAND_FAILED);
        break;
    case SOCKET_FAILED:
        status = command_fail(&err);
        break;
    }
    control_reply_clear(&reply);
    return status;
}

/* `seconds` 0: until resumed. */
static int change(const struct control_command *config, bool paused, uint64_t seconds) {
    struct control_reply reply = {0};
    struct owner_pause pause = {.paused = paused};
    struct buf body;
    struct json_writer writer;
    struct err err = {0};
    int status = COMMAND_OK;
    buf_init(&body, TEXT_MAX);
    json_writer_init(&writer, &body);
    json_begin_object(&writer);
    if (seconds > 0) {
        json_member_int(&writer, "for_s", (int64_t)seconds);
        pause.until_ms = clock_wall_ms() + (int64_t)seconds * 1000;
    }
    json_end_object(&writer);
    switch (control_client_call(config->data, "POST", paused ? "/pause" : "/resume", buf_str(&body), &reply, &err)) {
    case SOCKET_ANSWERED:
        show(config, &reply);
        break;
    case SOCKET_NOBODY:
        status = pause_file_write(config->data, &pause, &err) ? show_stopped(config, COMMAND_OK) : command_fail(&err);
        break;
    case SOCKET_FAILED:
        status = command_fail(&err);
        break;
    }
    control_reply_clear(&reply);
    buf_clear(&body);
    return status;
}

static int run_pause(const void *parsed) {
    const struct control_command *config = parsed;
    struct err err = {0};
    uint64_t seconds = 0;
    if (!check_data(config, &err) ||
        (config->length != NULL && !control_parse_duration(str_from(config->length), &seconds, &err))) {
        return command_misused(&err);
    }
    return change(config, true, seconds);
}

static int run_resume(const void *parsed) {
    struct err err = {0};
    if (!check_data(parsed, &err)) {
        return command_misused(&err);
    }
    return change(parsed, false, 0);
}

#define AT(member) offsetof(struct control_command, member)
#define COMMON_OPTIONS                                                                                                 \
    {"data", OPTION_TEXT, "DIR", NULL, "the provider's data folder", AT(data)},                                        \
        {"json", OPTION_FLAG, NULL, NULL, "print JSON", AT(json)}, OPTION_CONFIG_FILE(struct control_command, config)
static const struct option OPTIONS[] = {COMMON_OPTIONS};
static const struct option PAUSE_OPTIONS[] = {
    {"for", OPTION_TEXT, "TIME", NULL, "how long, such as 90s, 30m, 2h or 3d; default: until resumed", AT(length)},
    COMMON_OPTIONS};
#undef AT

const struct command COMMAND_PROVIDER_STATUS = {.name = "provider status",
                                                .summary = "Show what the provider of a data folder is doing",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct control_command),
                                                .run = run_status};
const struct command COMMAND_PROVIDER_PAUSE = {.name = "provider pause",
                                               .summary = "Take no new jobs for a while; survives a restart",
                                               .options = {PAUSE_OPTIONS, COUNT_OF(PAUSE_OPTIONS)},
                                               .config_size = sizeof(struct control_command),
                                               .run = run_pause};
const struct command COMMAND_PROVIDER_RESUME = {.name = "provider resume",
                                                .summary = "End a pause",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct control_command),
                                                .run = run_resume};
