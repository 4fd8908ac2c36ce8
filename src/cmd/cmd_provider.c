/* nataris provider: serves models on this device. */
#include "base/file.h"
#include "cmd/command.h"
#include "cmd/signals.h"
#include "engine/engine.h"
#include "provider/provider.h"

#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>

struct provider_config {
    const char *config, *gateway, *join, *data, *models, *engine, *name, *region, *ca_file, *log_level;
    struct option_list model;
    uint32_t slots, context, threads, drain_s, reconnect_ms, script_load_ms, script_prefill_ms;
    double script_rate;
    bool quiet, with_parent;
};

struct provider_run {
    struct provider *provider;
    struct signals signals;
    uint32_t drain_ms;
    int status;
};

static void on_stop_asked(void *context) {
    struct provider_run *run = context;
    provider_stop(run->provider, run->drain_ms);
}

static void on_stopped(void *context, const struct err *err) {
    struct provider_run *run = context;
    signals_close(&run->signals);
    if (err != NULL) {
        run->status = command_fail(err);
    }
}

static bool check(const struct provider_config *config, struct err *err) {
    if (config->gateway == NULL || config->data == NULL) {
        return err_set(err, ERR_INVALID,
                       "--gateway URL and --data DIR are needed ('nataris provider invite' on the "
                       "gateway's machine prints them with a join token)");
    }
    if (engine_ops_find(config->engine) == NULL) {
        return err_set(err, ERR_INVALID, "--engine is llama or scripted, not '%s'", config->engine);
    }
    if (config->reconnect_ms < 1 || config->reconnect_ms > 60000) {
        return err_set(err, ERR_INVALID, "--reconnect-ms is 1 to 60000");
    }
    return command_set_log_level(config->log_level, err);
}

static bool fill_options(const struct provider_config *config, struct provider_options *options, char *model_folder,
                         struct err *err) {
    provider_options_init(options);
    if (config->models == NULL && !provider_default_model_folder(model_folder, FILE_PATH_MAX, err)) {
        return false;
    }
    options->gateway_url = config->gateway;
    options->join_token = config->join;
    options->data_folder = config->data;
    options->model_folder = config->models != NULL ? config->models : model_folder;
    options->engine = config->engine;
    options->models = config->model.items;
    options->model_count = config->model.count;
    options->name = config->name;
    options->region = config->region;
    options->ca_file = config->ca_file;
    options->slots = config->slots;
    options->context_length = config->context;
    options->threads = config->threads;
    options->script_rate = config->script_rate;
    options->script_load_ms = config->script_load_ms;
    options->script_prefill_ms = config->script_prefill_ms;
    options->reconnect_ms = config->reconnect_ms;
    options->quiet = config->quiet;
    return true;
}

static int run_provider(const void *parsed) {
    const struct provider_config *config = parsed;
    static const struct provider_events EVENTS = {.on_stopped = on_stopped};
    struct provider_run run = {.drain_ms = config->drain_s * 1000};
    struct provider_options options;
    char model_folder[FILE_PATH_MAX];
    struct err err = {0};
    if (config->with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* `up` may be killed; nothing of it is left running */
        if (getppid() == 1) {
            return COMMAND_FAILED;
        }
    }
    if (!check(config, &err)) {
        command_fail(&err);
        return COMMAND_USAGE;
    }
    struct loop *loop = loop_new();
    if (!fill_options(config, &options, model_folder, &err) ||
        !provider_open(&run.provider, loop, &options, &EVENTS, &run, &err)) {
        loop_free(loop);
        return command_fail(&err);
    }
    signals_open(&run.signals, loop, on_stop_asked, &run);
    loop_run(loop);
    loop_free(loop);
    return run.status;
}

#define AT(member) offsetof(struct provider_config, member)
static const struct option OPTIONS[] = {
    {"gateway", OPTION_TEXT, "URL", NULL, "the gateway, such as https://host:port", AT(gateway)},
    {"join", OPTION_TEXT, "TOKEN", NULL, "join token; needed the first time only", AT(join)},
    {"data", OPTION_TEXT, "DIR", NULL, "folder of this device's key; made when missing", AT(data)},
    {"model", OPTION_LIST, "ID|PATH", "nataris-demo-2m", "model to serve: catalog id, alias, or a GGUF file",
     AT(model)},
    {"models", OPTION_TEXT, "DIR", NULL, "where model files are kept (default ~/.cache/nataris/models)", AT(models)},
    {"engine", OPTION_TEXT, "NAME", "llama", "llama, or scripted (made-up text, for tests)", AT(engine)},
    {"slots", OPTION_NUMBER, "N", "0", "jobs at once per model; 0: as fits", AT(slots)},
    {"context", OPTION_NUMBER, "N", "0", "tokens of context per job; 0: as fits", AT(context)},
    {"threads", OPTION_NUMBER, "N", "0", "threads per model; 0: cores - 1", AT(threads)},
    {"name", OPTION_TEXT, "TEXT", "", "the device's name; default: the host's", AT(name)},
    {"region", OPTION_TEXT, "CC", "", "two-letter region, told to clients", AT(region)},
    {"ca-file", OPTION_TEXT, "FILE", NULL, "authorities (PEM) to trust for https; default: the system's", AT(ca_file)},
    {"drain-s", OPTION_NUMBER, "SECONDS", "10", "how long running jobs may go on after SIGTERM", AT(drain_s)},
    {"reconnect-ms", OPTION_NUMBER, "MS", "250",
     "first pause before a lost gateway is tried again; doubles up to 120 times that", AT(reconnect_ms)},
    {"script-rate", OPTION_REAL, "N", "0", "scripted engine: tokens per second; 0: at once", AT(script_rate)},
    {"script-load-ms", OPTION_NUMBER, "MS", "0", "scripted engine: time to load", AT(script_load_ms)},
    {"script-prefill-ms", OPTION_NUMBER, "MS", "0", "scripted engine: time before the first token",
     AT(script_prefill_ms)},
    {"quiet", OPTION_FLAG, NULL, NULL, "no progress bars", AT(quiet)},
    {"with-parent", OPTION_FLAG, NULL, NULL, "stop when the process that started this one ends", AT(with_parent)},
    OPTION_LOG_LEVEL(struct provider_config, "info"),
    OPTION_CONFIG_FILE(struct provider_config),
};
#undef AT

const struct command COMMAND_PROVIDER = {.name = "provider",
                                         .summary = "Serve models on this device and earn credits",
                                         .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                         .config_size = sizeof(struct provider_config),
                                         .run = run_provider};
