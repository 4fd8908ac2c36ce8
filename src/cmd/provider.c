#include "cmd/provider.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/str.h"
#include "catalog/catalog.h"
#include "cmd/data_folder.h"
#include "cmd/model_text.h"
#include "cmd/signals.h"
#include "engine/engine.h"

#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

enum { SHARED_DEVICE_NICENESS = 10, KEEP_WARM_S_MAX = 7 * 24 * 3600, RECONNECT_MS_MAX = 60000, JOIN_FILE_MAX = 4096 };

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

bool cmd_provider_check_engine(const char *name, struct err *err) {
    return engine_ops_find(name) != NULL ||
           err_set(err, ERR_INVALID, "--engine is llama, scripted or upstream, not '%s'", name);
}

static bool check(const struct provider_config *config, struct err *err) {
    if (config->gateway == NULL || config->data == NULL) {
        return err_set(err, ERR_INVALID,
                       "--gateway URL and --data DIR are needed ('nataris provider invite' on the "
                       "gateway's machine prints them with a join token)");
    }
    if (!cmd_provider_check_engine(config->engine, err)) {
        return false;
    }
    if (config->keep_warm_s > KEEP_WARM_S_MAX) {
        return err_set(err, ERR_INVALID, "--keep-warm-s is at most a week");
    }
    if (config->reconnect_ms < 1 || config->reconnect_ms > RECONNECT_MS_MAX) {
        return err_set(err, ERR_INVALID, "--reconnect-ms is 1 to %d", RECONNECT_MS_MAX);
    }
    return true;
}

/* Models of an upstream have no files. */
static bool check_upstream(const struct provider_config *config, struct err *err) {
    bool all = false;
    for (size_t i = 0; i < config->offer.count; i++) {
        all = all || strcmp(config->offer.items[i], "all") == 0;
    }
    return strcmp(config->engine, ENGINE_UPSTREAM.name) != 0 || (!config->auto_models && !all) ||
           err_set(err, ERR_INVALID,
                   "--auto-models and --offer all are for engines with files; --engine upstream without --model offers "
                   "what the server lists");
}

static void fill_models(const struct provider_config *config, struct provider_options *options) {
    bool none =
        config->model.count == 0 && config->first_of.count == 0 && config->offer.count == 0 && !config->auto_models;
    const bool here = strcmp(config->engine, ENGINE_UPSTREAM.name) != 0; /* the built-in model is */
    options->models = none && here ? &CATALOG_BUILT_IN_MODEL : config->model.items;
    options->model_count = none && here ? 1 : config->model.count;
    options->first_of = config->first_of.items;
    options->first_of_count = config->first_of.count;
    options->offers = config->offer.items;
    options->offer_count = config->offer.count;
    options->auto_models = config->auto_models;
    options->keep_warm_ms = config->keep_warm_s * 1000;
    options->model_quota_bytes = config->model_quota;
}

bool cmd_provider_fill(const struct provider_config *config, struct provider_options *options,
                       char model_folder[FILE_PATH_MAX], struct provider_upstream *upstream, struct err *err) {
    provider_options_init(options);
    if (!check(config, err) || !check_upstream(config, err) || !model_text_folder(model_folder, config->models, err)) {
        return false;
    }
    options->gateway_url = config->gateway;
    options->join_token = config->join;
    options->data_folder = config->data;
    options->model_folder = model_folder;
    options->engine = config->engine;
    fill_models(config, options);
    options->name = config->name;
    options->region = config->region;
    options->ca_file = config->ca_file;
    options->slots = config->slots;
    options->context_length = config->context;
    options->threads = config->threads;
    options->script_rate = config->script_rate;
    options->script_load_ms = config->script_load_ms;
    options->script = config->script;
    options->script_prefill_ms = config->script_prefill_ms;
    options->reconnect_ms = config->reconnect_ms;
    options->quiet = config->quiet;
    options->device_root = config->limits.device_root;
    return provider_upstream_fill(upstream, &config->upstream, options, err) &&
           limit_options_fill(&config->limits, &options->limits, err);
}

/* Reads the token that --join-file names, if any, into `token`. */
static bool read_join_file(const struct provider_config *config, struct provider_options *options,
                           char token[JOIN_FILE_MAX + 1], struct err *err) {
    struct buf text;
    if (config->join_file == NULL) {
        return true;
    }
    if (config->join != NULL) {
        return err_set(err, ERR_INVALID, "--join and --join-file exclude each other");
    }
    buf_init(&text, JOIN_FILE_MAX);
    const bool read = file_read(strcmp(config->join_file, "-") == 0 ? "/dev/stdin" : config->join_file, &text, err);
    (void)str_copy(token, JOIN_FILE_MAX + 1, str_trim(buf_str(&text)));
    buf_clear(&text);
    options->join_token = token;
    return read;
}

/* Engines inherit it. Somebody who shares the device with us comes first. */
static void step_back(const struct owner_limits *limits) {
    if (limits->cpu_percent < 100 || limits->pause_in_use_s > 0) {
        (void)setpriority(PRIO_PROCESS, 0, SHARED_DEVICE_NICENESS);
    }
}

static int run_provider(const void *parsed) {
    const struct provider_config *config = parsed;
    static const struct provider_events EVENTS = {.on_stopped = on_stopped};
    struct provider_run run = {.drain_ms = config->drain_s * 1000};
    struct provider_options options;
    struct provider_upstream upstream;
    char model_folder[FILE_PATH_MAX], token[JOIN_FILE_MAX + 1] = "";
    struct err err = {0};
    if (config->with_parent) {
        prctl(PR_SET_PDEATHSIG, SIGTERM); /* `up` may be killed; nothing of it is left running */
        if (getppid() == 1) {
            return COMMAND_FAILED;
        }
    }
    if (!cmd_provider_fill(config, &options, model_folder, &upstream, &err) ||
        !read_join_file(config, &options, token, &err) || !command_set_log_level(config->log_level, &err)) {
        return command_misused(&err);
    }
    /* Two providers with one device key would replace each other's link for ever. */
    if (!data_folder_lock(config->data, "provider", &err)) {
        return command_fail(&err);
    }
    if (options.upstream_url != NULL && options.model_count + options.first_of_count + options.offer_count == 0 &&
        !provider_upstream_offer_all(&upstream, &options, &err)) {
        return command_fail(&err);
    }
    step_back(&options.limits);
    struct loop *loop = loop_new();
    if (!provider_open(&run.provider, loop, &options, &EVENTS, &run, &err)) {
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
    {"join-file", OPTION_TEXT, "FILE", NULL,
     "file with the join token, - for standard input: other users see arguments", AT(join_file)},
    {"data", OPTION_TEXT, "DIR", NULL, "folder of this device's key; made when missing", AT(data)},
    {"model", OPTION_LIST, "ID|PATH", NULL,
     "model to serve and keep loaded: catalog id, alias, added model, or a GGUF file; default nataris-demo-2m, unless "
     "models are offered; upstream engine: ID, or ID=NAME-THERE, default what the server lists",
     AT(model)},
    {"first-of", OPTION_LIST, "ID|PATH", NULL,
     "likewise, but of all that are given so only the first that can be had and loaded", AT(first_of)},
    {"offer", OPTION_LIST, "ID|PATH|all", NULL, "model to load when a job asks for it; all: what the folder has",
     AT(offer)},
    {"auto-models", OPTION_FLAG, NULL, NULL, "fetch models that are in demand; unused ones make room", AT(auto_models)},
    {"keep-warm-s", OPTION_NUMBER, "SECONDS", "1800",
     "how long an offered model stays loaded after its last job; 0: for good", AT(keep_warm_s)},
    {"model-quota", OPTION_BYTES, "BYTES", "0", "what the folder of models may hold, such as 20G; 0: as the disk has",
     AT(model_quota)},
    OPTION_MODELS(struct provider_config),
    {"engine", OPTION_TEXT, "NAME", "llama", "llama, upstream (a server that has the model), or scripted (for tests)",
     AT(engine)},
    UPSTREAM_OPTIONS(struct provider_config),
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
    {"script", OPTION_TEXT, "WORDS", "", "scripted engine: for every job, as in docs/TESTING.md: \"lie=3 exit=20\"",
     AT(script)},
    {"script-load-ms", OPTION_NUMBER, "MS", "0", "scripted engine: time to load", AT(script_load_ms)},
    {"script-prefill-ms", OPTION_NUMBER, "MS", "0", "scripted engine: time before the first token",
     AT(script_prefill_ms)},
    {"quiet", OPTION_FLAG, NULL, NULL, "no progress bars", AT(quiet)},
    {"with-parent", OPTION_FLAG, NULL, NULL, "stop when the process that started this one ends", AT(with_parent)},
    LIMIT_OPTIONS(struct provider_config),
    OPTION_LOG_LEVEL(struct provider_config, "info"),
    OPTION_CONFIG_FILE(struct provider_config, config),
};
#undef AT

const struct command COMMAND_PROVIDER = {.name = "provider",
                                         .summary = "Serve models on this device and earn credits",
                                         .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                         .config_size = sizeof(struct provider_config),
                                         .run = run_provider};
