#include "cmd/provider_doctor.h"

#include "base/json_write.h"
#include "base/log.h"
#include "catalog/catalog.h"
#include "cmd/control_client.h"
#include "cmd/json_line.h"
#include "cmd/model_text.h"
#include "cmd/provider.h"
#include "cmd/table.h"
#include "engine/engine.h"
#include "provider/doctor.h"

#include <stdio.h>
#include <string.h>

enum { REPORT_MAX = 64 * 1024 };

struct report {
    bool json;
    struct json_line line;
};

static void on_finding(void *context, const struct doctor_finding *finding) {
    struct report *report = context;
    struct json_writer *writer = &report->line.writer;
    if (!report->json) {
        printf("%-5s %-8s %s\n", doctor_level_name(finding->level), finding->check, finding->message);
        if (finding->advice != NULL) {
            printf("%-14s -> %s\n", "", finding->advice);
        }
        fflush(stdout);
        return;
    }
    json_begin_object(writer);
    json_member_cstr(writer, "check", finding->check);
    json_member_cstr(writer, "level", doctor_level_name(finding->level));
    json_member_cstr(writer, "message", finding->message);
    json_member_cstr(writer, "advice", finding->advice);
    json_end_object(writer);
}

static void report_begin(struct report *report) {
    if (report->json) {
        json_line_begin(&report->line, REPORT_MAX);
        json_begin_object(&report->line.writer);
        json_write_key(&report->line.writer, "checks");
        json_begin_array(&report->line.writer);
    }
}

static void report_end(struct report *report, bool ok) {
    if (report->json) {
        json_end_array(&report->line.writer);
        json_member_bool(&report->line.writer, "ok", ok);
        json_end_object(&report->line.writer);
        json_line_print(&report->line);
    } else {
        printf("%s\n", ok ? "This device can serve." : "Something is wrong: see the lines that begin with 'fail'.");
    }
}

/* What a provider that runs on this folder says of itself; its gateway is ours if none was given. */
static void check_running(struct doctor *doctor, struct provider_options *options, struct json_value status,
                          char *gateway, size_t gateway_size) {
    struct json_value pause = {0}, reason = {0};
    struct str text;
    char words[DOCTOR_MESSAGE_MAX];
    doctor->provider_runs = true;
    if (options->gateway_url == NULL) {
        options->gateway_url = table_cell(status, "gateway", gateway, gateway_size);
    }
    if (table_flag(status, "connected")) {
        doctor_say(doctor, "provider", DOCTOR_OK, NULL, "it runs and is connected since %s",
                   table_cell(status, "since", words, sizeof(words)));
    } else {
        doctor_say(doctor, "provider", DOCTOR_WARN, "'nataris provider status' shows its last error",
                   "it runs, but is not connected since %s", table_cell(status, "since", words, sizeof(words)));
    }
    if (json_get(status, "pause", &pause) && json_get(pause, "reason", &reason) && json_as_str(reason, &text)) {
        doctor_say(doctor, "provider", DOCTOR_WARN, "no jobs come as long as this holds", "it is paused: %s",
                   table_clean(text, words, sizeof(words)));
    }
}

bool cmd_doctor_fill(const struct doctor_config *config, struct provider_options *options,
                     char model_folder[FILE_PATH_MAX], struct provider_upstream *upstream, struct err *err) {
    provider_options_init(options);
    if (config->data == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the provider's data folder");
    }
    if (!cmd_provider_check_engine(config->engine, err) || !model_text_folder(model_folder, config->models, err)) {
        return false;
    }
    options->gateway_url = config->gateway;
    options->data_folder = config->data;
    options->model_folder = model_folder;
    options->engine = config->engine;
    options->script = config->script;
    const bool built_in = config->model.count == 0 && strcmp(config->engine, ENGINE_UPSTREAM.name) != 0;
    options->models = built_in ? &CATALOG_BUILT_IN_MODEL : config->model.items;
    options->model_count = built_in ? 1 : config->model.count;
    options->ca_file = config->ca_file;
    options->context_length = config->context;
    options->threads = config->threads;
    options->device_root = config->limits.device_root;
    return provider_upstream_fill(upstream, &config->upstream, options, err) &&
           limit_options_fill(&config->limits, &options->limits, err);
}

static int run_doctor(const void *parsed) {
    const struct doctor_config *config = parsed;
    char model_folder[FILE_PATH_MAX], gateway[FILE_PATH_MAX];
    struct provider_options options;
    struct provider_upstream upstream;
    struct report report = {.json = config->json};
    struct doctor doctor = {.options = &options, .on_finding = on_finding, .context = &report};
    struct control_reply reply = {0};
    struct err err = {0};
    if (!cmd_doctor_fill(config, &options, model_folder, &upstream, &err) ||
        !command_set_log_level(config->log_level, &err)) {
        return command_misused(&err);
    }
    report_begin(&report);
    switch (control_client_call(config->data, "GET", "/status", STR(""), &reply, &err)) {
    case SOCKET_ANSWERED:
        check_running(&doctor, &options, reply.root, gateway, sizeof(gateway));
        break;
    case SOCKET_NOBODY:
        doctor_say(&doctor, "provider", DOCTOR_OK, NULL, "none runs on this folder now");
        break;
    case SOCKET_FAILED:
        doctor_say(&doctor, "provider", DOCTOR_FAIL, "stop it and start it again", "%s", err.message);
        break;
    }
    control_reply_clear(&reply);
    const bool ok = doctor_run(&doctor);
    report_end(&report, ok);
    return ok ? COMMAND_OK : COMMAND_FAILED;
}

#define AT(member) offsetof(struct doctor_config, member)
static const struct option OPTIONS[] = {
    {"data", OPTION_TEXT, "DIR", NULL, "the provider's data folder", AT(data)},
    {"gateway", OPTION_TEXT, "URL", NULL, "the gateway; default: that of the provider that runs", AT(gateway)},
    {"model", OPTION_LIST, "ID|PATH", NULL,
     "model to check; the first that is here does a job; default nataris-demo-2m, or the upstream's first", AT(model)},
    OPTION_MODELS(struct doctor_config),
    {"engine", OPTION_TEXT, "NAME", "llama", "llama, upstream (a server that has the model), or scripted (for tests)",
     AT(engine)},
    UPSTREAM_OPTIONS(struct doctor_config),
    {"script", OPTION_TEXT, "WORDS", "", "scripted engine: for every job, as in docs/TESTING.md: \"rate=5\"",
     AT(script)},
    {"context", OPTION_NUMBER, "N", "0", "tokens of context per job; 0: as fits", AT(context)},
    {"threads", OPTION_NUMBER, "N", "0", "threads per model; 0: cores - 1", AT(threads)},
    {"ca-file", OPTION_TEXT, "FILE", NULL, "authorities (PEM) to trust for https; default: the system's", AT(ca_file)},
    {"json", OPTION_FLAG, NULL, NULL, "print {\"checks\":[...],\"ok\"}", AT(json)},
    LIMIT_OPTIONS(struct doctor_config),
    OPTION_LOG_LEVEL(struct doctor_config, "error"),
    OPTION_CONFIG_FILE(struct doctor_config, config),
};
#undef AT

const struct command COMMAND_PROVIDER_DOCTOR = {.name = "provider doctor",
                                                .summary = "Test whether this device can serve, with a real job",
                                                .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                                .config_size = sizeof(struct doctor_config),
                                                .run = run_doctor};
