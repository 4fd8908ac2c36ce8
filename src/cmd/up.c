#include "cmd/up.h"

#include "base/log.h"
#include "base/mem.h"
#include "catalog/catalog.h"
#include "cmd/json_line.h"
#include "cmd/local_provider.h"
#include "cmd/model_files.h"
#include "cmd/network.h"
#include "cmd/signals.h"
#include "cmd/up_choice.h"
#include "engine/engine.h"
#include "store/owed.h"

#include <stdio.h>
#include <string.h>

enum { UP_DRAIN_MS = 5000, UP_RESTART_MS = 1000, UP_MODELS_MAX = OPTION_LIST_MAX, UP_LINE_MAX = 16 * 1024 };

struct up {
    const struct up_config *config;
    struct network network;
    struct signals signals;
    struct local_provider *provider;
    struct local_provider_options provider_options;
    struct option_list models;
    struct up_choice choice; /* empty when models are named */
    struct model_files model_files;
    bool chooses;
    char provider_folder[FILE_PATH_MAX];
    char announced[UP_MODELS_MAX][CORE_MODEL_ID_MAX + 1]; /* models already told to the user */
    size_t announced_count;
    bool stopping;
    int status;
};

static void print_banner(const struct up *up, struct str model) {
    const struct network *network = &up->network;
    printf(
        "\nNataris is up.\n\n"
        "  Base URL   %s\n"
        "  API key    %s\n"
        "  Test key   %s\n"
        "  Model      %.*s\n\n"
        "Try it:\n\n"
        "  curl %s/chat/completions \\\n"
        "    -H \"Authorization: Bearer %s\" \\\n"
        "    -H \"Content-Type: application/json\" \\\n"
        "    -d '{\"model\": \"%.*s\", \"messages\": [{\"role\": \"user\", \"content\": \"Hello! Who are you?\"}]}'\n\n"
        "Ctrl-C stops everything.\n\n",
        network->base_url, network->owner.live_key, network->owner.test_key, STR_ARG(model), network->base_url,
        network->owner.live_key, STR_ARG(model));
    fflush(stdout);
}

static bool is_announced(const struct up *up, struct str model) {
    for (size_t i = 0; i < up->announced_count; i++) {
        if (str_equal_cstr(model, up->announced[i])) {
            return true;
        }
    }
    return false;
}

/* The first line of --json, as soon as something can be used. */
static void print_json(const struct up *up) {
    struct json_line line;
    if (!up->chooses) {
        network_print_json(&up->network);
        return;
    }
    json_line_begin(&line, UP_LINE_MAX);
    json_begin_object(&line.writer);
    network_write_json(&up->network, &line.writer);
    up_choice_write(&up->choice, &line.writer);
    json_end_object(&line.writer);
    json_line_print(&line);
}

/* A further line of --json: the default model is here. */
static void print_json_model(struct str model, const char *remark) {
    struct json_line line;
    json_line_begin(&line, UP_LINE_MAX);
    json_begin_object(&line.writer);
    json_member_str(&line.writer, "model", model);
    json_member_bool(&line.writer, "available", true);
    json_member_str(&line.writer, "remark", str_trim(str_from(remark)));
    json_end_object(&line.writer);
    json_line_print(&line);
}

static void announce(struct up *up, struct str model) {
    const bool first = up->announced_count == 0;
    char remark[256] = "";
    (void)str_copy(up->announced[up->announced_count++], sizeof(up->announced[0]), model);
    if (first) {
        local_provider_settled(up->provider);
    }
    if (up->chooses) {
        up_choice_remark(&up->choice, model, remark, sizeof(remark));
    }
    if (first && up->config->json) {
        print_json(up);
    } else if (first) {
        print_banner(up, model);
    } else if (up->config->json && up->chooses) {
        print_json_model(model, remark);
    } else if (!up->config->json) {
        printf("The model %.*s can be used now.%s\n", STR_ARG(model), remark);
        fflush(stdout);
    }
}

static void on_models_changed(void *context) {
    struct up *up = context;
    struct str model;
    bool available;
    for (size_t i = 0; gateway_model_at(up->network.gateway, i, &model, &available); i++) {
        if (available && !up->stopping && up->announced_count < UP_MODELS_MAX && !is_announced(up, model)) {
            announce(up, model);
        }
    }
}

static void on_stop_asked(void *context) {
    struct up *up = context;
    if (!up->stopping && !up->config->json) {
        printf("\nStopping...\n");
        fflush(stdout);
    }
    const bool again = up->stopping;
    up->stopping = true;
    /* The provider stays until the gateway has let running answers end. */
    if (up->network.gateway != NULL) {
        gateway_drain(up->network.gateway);
    }
    if (again && up->provider != NULL) {
        local_provider_stop(up->provider);
    }
}

static void on_gateway_stopped(void *context, const struct err *err) {
    struct up *up = context;
    up->network.gateway = NULL;
    up->stopping = true;
    if (err != NULL) {
        up->status = command_fail(err);
    }
    if (up->provider != NULL) {
        local_provider_stop(up->provider);
    } else {
        signals_close(&up->signals);
    }
}

static void on_provider_stopped(void *context) {
    struct up *up = context;
    up->provider = NULL;
    if (up->network.gateway == NULL) {
        signals_close(&up->signals);
    }
}

static void on_provider_failed(void *context, int status) {
    struct up *up = context;
    up->status = status == COMMAND_OK ? COMMAND_FAILED : status; /* it has said why */
    up->stopping = true;
    gateway_drain(up->network.gateway);
}

void cmd_up_fill(const struct up_config *config, struct gateway_options *options) {
    gateway_options_init(options);
    options->listen = config->listen;
    options->drain_ms = UP_DRAIN_MS;
    options->devices_trusted = config->trust_devices;
    options->hold_days = config->hold_days < STORE_HOLD_DAYS_MAX ? config->hold_days : STORE_HOLD_DAYS_MAX;
}

struct option_list cmd_up_models(const struct up_config *config) {
    struct option_list models = config->model;
    if (models.count == 0 && strcmp(config->engine, ENGINE_UPSTREAM.name) != 0) {
        models.items[models.count++] = CATALOG_BUILT_IN_MODEL;
    }
    return models;
}

static bool open_parts(struct up *up, struct loop *loop, struct err *err) {
    static const struct gateway_events GATEWAY_EVENTS = {.on_models_changed = on_models_changed,
                                                         .on_stopped = on_gateway_stopped};
    static const struct local_provider_events PROVIDER_EVENTS = {.on_failed = on_provider_failed,
                                                                 .on_stopped = on_provider_stopped};
    const struct up_config *config = up->config;
    struct gateway_options options;
    cmd_up_fill(config, &options);
    model_files_init(&up->model_files, NULL, &up->models);
    options.model_file = strcmp(config->engine, "llama") == 0 ? model_files_find : NULL; /* scripted counts words */
    options.model_file_context = &up->model_files;
    if (!network_open(&up->network, loop, config->data, &options, &GATEWAY_EVENTS, up, err) ||
        !file_join(up->provider_folder, config->data, "provider", err)) {
        return false;
    }
    up->provider_options = (struct local_provider_options){.gateway_url = up->network.origin,
                                                           .join_token = up->network.join_token,
                                                           .data_folder = up->provider_folder,
                                                           .engine = config->engine,
                                                           .upstream = &config->upstream,
                                                           .log_level = config->log_level,
                                                           .models = &up->models,
                                                           .first_of = &up->choice.first_of,
                                                           .restart_ms = UP_RESTART_MS,
                                                           .quiet = config->json};
    return local_provider_start(&up->provider, loop, &up->provider_options, &PROVIDER_EVENTS, up, err);
}

static int run_up(const void *parsed) {
    struct up up = {.config = parsed};
    struct err err = {0};
    if (!command_set_log_level(up.config->log_level, &err)) {
        return command_misused(&err);
    }
    up.models = cmd_up_models(up.config);
    up.chooses = up.config->model.count == 0 && up.models.count > 0;
    if (up.chooses && !up_choice_make(&up.choice, up.config->device_root, &err)) {
        return command_fail(&err);
    }
    struct loop *loop = loop_new();
    signals_open(&up.signals, loop, on_stop_asked, &up);
    if (!open_parts(&up, loop, &err)) {
        if (up.network.gateway == NULL) { /* else it is open, and the loop would wait for it */
            signals_close(&up.signals);
            loop_free(loop);
        }
        return command_fail(&err);
    }
    if (!up.config->json) {
        printf("Starting. Data in %s.\n", up.config->data);
        fflush(stdout);
    }
    if (!up.config->json && up.chooses) {
        up_choice_print(&up.choice);
    }
    loop_run(loop);
    loop_free(loop);
    return up.status;
}

#define AT(member) offsetof(struct up_config, member)
static const struct option OPTIONS[] = {
    {"data", OPTION_TEXT, "DIR", ".nataris", "folder of accounts, keys and the device; made when missing", AT(data)},
    {"listen", OPTION_TEXT, "HOST:PORT", "127.0.0.1:8080", "address for clients and further providers", AT(listen)},
    {"model", OPTION_LIST, "ID|PATH", NULL,
     "model to serve (default: the built-in nataris-demo-2m at once, and the best that this machine's memory, cores "
     "and "
     "disk allow when it is fetched)",
     AT(model)},
    {"earnings-hold-days", OPTION_NUMBER, "DAYS", "7",
     "what devices earn can be paid out so long after the request; 0: at once", AT(hold_days)},
    {"engine", OPTION_TEXT, "NAME", "llama", "llama, upstream (a server that has the model), or scripted (for tests)",
     AT(engine)},
    UPSTREAM_OPTIONS(struct up_config),
    {"json", OPTION_FLAG, NULL, NULL,
     "print a line {\"base_url\",\"api_key\",\"test_key\"} when it can serve; without --model also "
     "\"default_models\", and a line {\"model\",\"available\",\"remark\"} when one of them is here",
     AT(json)},
    {"trust-devices", OPTION_FLAG, NULL, NULL, "what each device says of itself is believed: they are all your own",
     AT(trust_devices)},
    {"device-root", OPTION_TEXT, "DIR", "/", "where /proc and /sys are looked for (for tests)", AT(device_root)},
    OPTION_LOG_LEVEL(struct up_config, "warn"),
    OPTION_CONFIG_FILE(struct up_config, config),
};
#undef AT

const struct command COMMAND_UP = {.name = "up",
                                   .summary = "Run a whole network on this machine: gateway, provider and model",
                                   .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                   .config_size = sizeof(struct up_config),
                                   .run = run_up};
