#include "provider/provider.h"

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "provider/agent.h"
#include "provider/control.h"
#include "provider/device_facts.h"
#include "provider/device_key.h"
#include "provider/models.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RECONNECT_GROWTH = 120, REGION_SIZE = 3 };

enum provider_phase { PROVIDER_SERVING, PROVIDER_DRAINING, PROVIDER_CLOSING };

struct provider {
    struct loop *loop;
    struct provider_options options;
    const struct provider_events *events;
    void *context;
    enum provider_phase phase;
    struct device_facts facts;
    char region[REGION_SIZE];
    struct tls_context *tls;
    struct owner_guard *guard;
    struct agent *agent;
    struct control *control;
    struct progress_line progress;
    struct loop_timer *drain_timer;
    struct loop_deferred close; /* parts are not closed inside their own events */
    bool failed;
    struct err failure;
};

/* --- Opening --- */

static bool is_secure(const char *url) {
    struct str text = str_from(url);
    return str_starts_with(text, STR("https://")) || str_starts_with(text, STR("wss://"));
}

static bool read_region(struct provider *provider, const char *region, struct err *err) {
    size_t len = strlen(region);
    if (len != 0 && (len != 2 || !isalpha((unsigned char)region[0]) || !isalpha((unsigned char)region[1]))) {
        return err_set(err, ERR_INVALID, "a region has two letters, such as DE");
    }
    for (size_t i = 0; i < len; i++) {
        provider->region[i] = (char)toupper((unsigned char)region[i]);
    }
    return true;
}

static void on_model(void *context, const struct err *why);
static void on_refused(void *context, const char *reason);
static void on_drained(void *context);

static const struct agent_events AGENT_EVENTS = {
    .on_model = on_model, .on_refused = on_refused, .on_drained = on_drained};

static bool open_agent(struct provider *provider, struct err *err) {
    const struct provider_options *options = &provider->options;
    const struct device_facts *facts = &provider->facts;
    struct link_client_config link = {
        .url = options->gateway_url,
        .join_token = options->join_token != NULL ? options->join_token : "",
        .device = {.name = str_from(options->name[0] != '\0' ? options->name : facts->name),
                   .os = str_from(facts->os),
                   .arch = str_from(facts->arch),
                   .cpu = str_from(facts->cpu),
                   .agent = STR("nataris/" NATARIS_VERSION),
                   .region = str_from(provider->region),
                   .cores = facts->cores,
                   .ram_bytes = facts->ram_bytes},
        .backoff_min_ms = options->reconnect_ms,
        .backoff_max_ms = options->reconnect_ms * RECONNECT_GROWTH,
    };
    if (!device_key_load(options->data_folder, link.private_key, err)) {
        return false;
    }
    if (is_secure(options->gateway_url) && !tls_context_new_client(&provider->tls, options->ca_file, err)) {
        return false;
    }
    link.tls = provider->tls;
    return agent_new(&provider->agent, provider->loop, &link, provider->guard, &AGENT_EVENTS, provider, err);
}

static void on_limits_change(void *context) {
    const struct provider *provider = context;
    agent_limits_changed(provider->agent);
}

static bool open_guard(struct provider *provider, struct err *err) {
    const struct owner_guard_config config = {.limits = &provider->options.limits,
                                              .data_folder = provider->options.data_folder,
                                              .root = provider->options.device_root,
                                              .on_change = on_limits_change,
                                              .context = provider};
    return owner_guard_new(&provider->guard, provider->loop, &config, err);
}

static void fill_view(void *context, struct control_view *view, struct link_model *models) {
    const struct provider *provider = context;
    const struct provider_options *options = &provider->options;
    agent_describe(provider->agent, view, models);
    view->gateway = options->gateway_url;
    view->name = options->name[0] != '\0' ? options->name : provider->facts.name;
}

static void open_control(struct provider *provider) {
    const struct control_config config = {
        .data_folder = provider->options.data_folder, .guard = provider->guard, .fill = fill_view, .context = provider};
    provider->control = control_new(provider->loop, &config);
}

static void start_models(struct provider *provider, const struct engine_ops *ops,
                         const struct provider_models *models) {
    const struct provider_options *options = &provider->options;
    const struct hosted_model_options model_options = {
        .ops = ops,
        .needs_file = ops->needs_file,
        .engine = {.loop = provider->loop,
                   .slots = options->slots,
                   .context_length = options->context_length,
                   .threads = owner_limits_threads(&options->limits, provider->facts.cores, options->threads),
                   .memory_limit = owner_limits_memory(&options->limits,
                                                       options->model_count + (options->first_of_count > 0 ? 1 : 0)),
                   .script_rate = options->script_rate,
                   .script_load_ms = options->script_load_ms,
                   .script = options->script,
                   .upstream_url = options->upstream_url,
                   .upstream_key = options->upstream_key,
                   .ca_file = options->ca_file,
                   .script_prefill_ms = options->script_prefill_ms},
        .model_folder = options->model_folder,
        .room = {.quota_bytes = options->model_quota_bytes},
        .progress = &provider->progress,
    };
    provider_models_start(models, options, &model_options, provider->agent);
}

static void drain_is_over(void *context);
static void close_parts(struct loop_deferred *deferred);

static void provider_free(struct provider *provider) {
    tls_context_free(provider->tls);
    owner_guard_free(provider->guard);
    loop_timer_free(provider->drain_timer);
    free(provider);
}

bool provider_open(struct provider **out, struct loop *loop, const struct provider_options *options,
                   const struct provider_events *events, void *context, struct err *err) {
    struct provider_models models;
    const struct engine_ops *ops = engine_ops_find(options->engine);
    if (ops == NULL) {
        return err_set(err, ERR_INVALID, "there is no engine '%s'", options->engine);
    }
    struct provider *provider = MEM_NEW(struct provider);
    provider->loop = loop;
    provider->options = *options;
    provider->events = events;
    provider->context = context;
    provider->close.run = close_parts;
    if (!read_region(provider, options->region, err) || !provider_models_resolve(&models, options, ops, err)) {
        provider_free(provider);
        return false;
    }
    device_facts_read(&provider->facts, options->device_root);
    progress_line_init(&provider->progress, options->quiet);
    if (!open_guard(provider, err) || !open_agent(provider, err)) {
        provider_free(provider);
        return false;
    }
    provider->drain_timer = loop_timer_new(loop, drain_is_over, provider);
    open_control(provider);
    start_models(provider, ops, &models);
    *out = provider;
    return true;
}

/* --- Stopping --- */

static void on_agent_closed(void *context) {
    struct provider *provider = context;
    const struct provider_events *events = provider->events;
    void *owner = provider->context;
    bool failed = provider->failed;
    struct err failure = provider->failure;
    provider_free(provider);
    events->on_stopped(owner, failed ? &failure : NULL);
}

static void on_control_closed(void *context) {
    struct provider *provider = context;
    agent_close(provider->agent, on_agent_closed, provider); /* the last to go: control and guard speak to it */
}

static void close_parts(struct loop_deferred *deferred) {
    struct provider *provider = (struct provider *)((char *)deferred - offsetof(struct provider, close));
    control_close(provider->control, on_control_closed, provider);
}

static void close_soon(struct provider *provider) {
    if (provider->phase != PROVIDER_CLOSING) {
        provider->phase = PROVIDER_CLOSING;
        loop_timer_stop(provider->drain_timer);
        loop_defer(provider->loop, &provider->close);
    }
}

static void give_up(struct provider *provider, enum err_code code, const char *reason) {
    if (provider->phase == PROVIDER_SERVING) {
        provider->failed = true;
        err_set(&provider->failure, code, "%s", reason);
    }
    close_soon(provider);
}

static void on_model(void *context, const struct err *why) {
    struct provider *provider = context;
    if (why != NULL && agent_models_hopeless(provider->agent)) {
        give_up(provider, why->code, why->message);
    }
}

static void on_refused(void *context, const char *reason) {
    char words[ERR_MESSAGE_MAX];
    snprintf(words, sizeof(words), "the gateway refuses this device: %s", reason);
    give_up(context, ERR_DENIED, words);
}

static void on_drained(void *context) {
    close_soon(context);
}

static void drain_is_over(void *context) {
    LOG_WARN_EVENT("provider.drain_timeout");
    close_soon(context);
}

void provider_stop(struct provider *provider, uint32_t drain_ms) {
    switch (provider->phase) {
    case PROVIDER_SERVING:
        if (drain_ms > 0) {
            provider->phase = PROVIDER_DRAINING;
            loop_timer_start(provider->drain_timer, drain_ms, 0);
            agent_drain(provider->agent);
            return;
        }
        close_soon(provider);
        return;
    case PROVIDER_DRAINING:
        close_soon(provider);
        return;
    case PROVIDER_CLOSING:
        return;
    }
}
