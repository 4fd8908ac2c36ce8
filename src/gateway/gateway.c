#include "gateway/gateway.h"

#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/run.h"
#include "catalog/catalog.h"
#include "format/formats.h"
#include "gateway/database.h"
#include "gateway/internal.h"
#include "wire/limits.h"

enum {
    DRAIN_CHECK_MS = 100,
    RECORDS_MS = 60 * 1000,
    CANARY_MS = 30 * 60 * 1000,
    STOP_MS = 1000, /* for answers that are on their way when the drain's time is over */
};

void gateway_options_init(struct gateway_options *options) {
    *options = (struct gateway_options){
        .drain_ms = 30 * 1000, .heartbeat_ms = LIMIT_LINK_HEARTBEAT_MS, .canary_ms = CANARY_MS};
    core_config_init(&options->core);
    options->tiers[STORE_TIER_FREE] = (struct gateway_tier_limits){.requests_per_minute = 10, .concurrent = 2};
    options->tiers[STORE_TIER_STARTER] = (struct gateway_tier_limits){.requests_per_minute = 60, .concurrent = 5};
    options->tiers[STORE_TIER_PRO] = (struct gateway_tier_limits){.requests_per_minute = 300, .concurrent = 20};
}

static void on_store_broken(void *context, const struct err *err) {
    struct gateway *gateway = context;
    LOG_ERROR_EVENT("store.broken", LOG_TEXT("error", err->message));
    gateway->stop_reason = *err;
    gateway_drain(gateway); /* what cannot be recorded must not be acknowledged */
}

static bool open_store(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    if (!gateway_database_open(&gateway->store, options->store_path, err)) {
        return false;
    }
    if (!auth_new(&gateway->auth, gateway->store, err) || !gateway_accounts_load(gateway, err)) {
        return false;
    }
    const struct webhook_sender_options webhooks = {
        .loop = gateway->loop, .store = gateway->store, .lax = options->webhooks_lax};
    return store_start(gateway->store, loop_uv(gateway->loop), on_store_broken, gateway, err) &&
           webhook_sender_new(&gateway->webhooks, &webhooks, err);
}

static struct http_server_config http_config(void) {
    return (struct http_server_config){
        .head_limits = {.head_bytes = LIMIT_HTTP_HEAD_BYTES,
                        .header_count = LIMIT_HTTP_HEADER_COUNT,
                        .url_bytes = LIMIT_HTTP_URL_BYTES},
        .body_bytes = LIMIT_HTTP_BODY_BYTES,
        .bodies_bytes = LIMIT_HTTP_BODIES_BYTES,
        .pipeline_bytes = LIMIT_HTTP_PIPELINE_BYTES,
        .head_timeout_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS,
        .body_timeout_ms = LIMIT_HTTP_BODY_TIMEOUT_MS,
        .idle_timeout_ms = LIMIT_HTTP_IDLE_TIMEOUT_MS,
    };
}

static bool open_http(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    static const struct http_server_events EVENTS = {.on_request = api_on_request, .on_refused = api_on_refused};
    const struct http_server_config config = http_config();
    if (options->tls_cert != NULL && !tls_context_new_server(&gateway->tls, options->tls_cert, options->tls_key, err)) {
        return false;
    }
    const struct listener_options listen = {.address = options->listen,
                                            .tls = gateway->tls,
                                            .max_connections = LIMIT_CONNECTIONS,
                                            .handshake_ms = LIMIT_HTTP_HEAD_TIMEOUT_MS};
    return http_server_open(&gateway->http, gateway->loop, &listen, &config, &EVENTS, gateway->api, err);
}

static bool open_admin(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    static const struct http_server_events EVENTS = {.on_request = admin_on_request, .on_refused = admin_on_refused};
    const struct http_server_config config = http_config();
    const struct listener_options listen = {.address = options->admin, .max_connections = LIMIT_ADMIN_CONNECTIONS};
    struct admin_backend backend = GATEWAY_ADMIN_BACKEND;
    if (options->admin == NULL) {
        return true;
    }
    backend.context = gateway;
    gateway->admin = admin_new(gateway->loop, gateway->store, &backend);
    return http_server_open(&gateway->admin_http, gateway->loop, &listen, &config, &EVENTS, gateway->admin, err);
}

static void open_core(struct gateway *gateway, const struct gateway_options *options) {
    struct core_config config = options->core;
    random_bytes(&config.seed, sizeof config.seed);
    config.trace = true; /* `nataris job explain` lives on it */
    gateway->core = core_new(&config);
    gateway->core_timer = loop_timer_new(gateway->loop, gateway_core_timer_due, gateway);
    gateway->records_timer = loop_timer_new(gateway->loop, gateway_records_due, gateway);
    loop_timer_start(gateway->records_timer, RECORDS_MS, RECORDS_MS);
    gateway->canary_timer = loop_timer_new(gateway->loop, canaries_due, gateway);
    if (options->canary_ms > 0) {
        loop_timer_start(gateway->canary_timer, options->canary_ms, options->canary_ms);
    }
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct catalog_model *model = catalog_at(i);
        gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_MODEL,
                                                   .model = {.model = str_from(model->id),
                                                             .file_bytes = model->file_bytes,
                                                             .ram_bytes = model->ram_bytes}});
    }
}

/* Everything that closes at once; the rest is closed and gone by now, or was never opened. */
static void gateway_free(struct gateway *gateway) {
    loop_timer_free(gateway->core_timer);
    loop_timer_free(gateway->drain_timer);
    loop_timer_free(gateway->records_timer);
    loop_timer_free(gateway->canary_timer);
    webhook_sender_stop(gateway->webhooks);
    if (gateway->store != NULL) {
        store_close(gateway->store); /* answers key look-ups that still wait, through the API */
    }
    webhook_sender_free(gateway->webhooks);
    api_free(gateway->api);
    runs_close(gateway->calls);
    calls_free(gateway->calls);
    sandbox_free(gateway->sandbox);
    if (gateway->admin != NULL) {
        admin_free(gateway->admin);
    }
    if (gateway->auth != NULL) {
        auth_free(gateway->auth);
    }
    if (gateway->core != NULL) {
        core_free(gateway->core);
    }
    if (gateway->tls != NULL) {
        tls_context_free(gateway->tls);
    }
    job_log_free(gateway->job_log);
    free(gateway->later);
    free(gateway);
}

static void part_closed(void *context) {
    struct gateway *gateway = context;
    if (--gateway->still_open > 0) {
        return;
    }
    const struct gateway_events events = gateway->events;
    const struct err reason = gateway->stop_reason;
    void *events_context = gateway->context;
    gateway_free(gateway);
    LOG_INFO_EVENT("gateway.stopped");
    events.on_stopped(events_context, reason.code == ERR_NONE ? NULL : &reason);
}

static void sandbox_closed(void *context) {
    struct gateway *gateway = context;
    gateway->sandbox = NULL;
    part_closed(gateway);
}

static void close_parts(struct gateway *gateway) {
    if (gateway->state == GATEWAY_CLOSING) {
        return;
    }
    gateway->state = GATEWAY_CLOSING;
    loop_timer_stop(gateway->drain_timer);
    gateway_calls_stop(gateway);
    gateway->still_open = gateway->admin_http == NULL ? 3 : 4;
    /* Clients first: cutting what still runs sends cancels over links that are still open. */
    http_server_close(gateway->http, part_closed, gateway);
    if (gateway->admin_http != NULL) {
        http_server_close(gateway->admin_http, part_closed, gateway);
    }
    link_server_close(gateway->links, part_closed, gateway);
    sandbox_close(gateway->sandbox, sandbox_closed, gateway);
}

/* Polled while draining: requests end in many places, and a tenth of a second more does not matter at a stop. */
static void drain_check(void *context) {
    struct gateway *gateway = context;
    const bool over = loop_now_ms(gateway->loop) >= gateway->drain_until_ms;
    const bool idle = calls_count(gateway->calls) == 0 && core_counts(gateway->core).jobs == 0;
    if (gateway->state == GATEWAY_DRAINING && over && !idle) {
        gateway->state = GATEWAY_STOPPING;
        gateway->drain_until_ms += STOP_MS;
        LOG_INFO_EVENT("gateway.drain_over", LOG_INT("requests", calls_count(gateway->calls)));
        gateway_calls_stop(gateway);
    } else if (gateway->state == GATEWAY_DRAINING
                   ? idle
                   : over || (idle && http_server_connection_count(gateway->http) == 0)) {
        close_parts(gateway);
    }
}

static void free_after_admin(void *context) {
    gateway_free(context);
}

bool gateway_open(struct gateway **out, struct loop *loop, const struct gateway_options *options,
                  const struct gateway_events *events, void *context, struct err *err) {
    struct gateway *gateway = MEM_NEW(struct gateway);
    gateway->loop = loop;
    gateway->job_log = job_log_new();
    gateway->events = *events;
    gateway->context = context;
    gateway->drain_ms = options->drain_ms;
    memcpy(gateway->tiers, options->tiers, sizeof gateway->tiers);
    open_core(gateway, options);
    if (!open_store(gateway, options, err)) {
        gateway_free(gateway);
        return false;
    }
    gateway->drain_timer = loop_timer_new(loop, drain_check, gateway);
    gateway->sandbox = sandbox_new(loop, &options->core);
    gateway->devices = gateway_devices(gateway);
    const struct call_backend network = gateway_call_backend(gateway);
    gateway->calls = calls_new(loop, gateway->auth, gateway->store, &network);
    runs_open(gateway->calls);
    const struct api_backend backend = gateway_api_backend(gateway, options);
    gateway->api = api_new(gateway->calls, &FORMATS, &backend);
    /* Listening comes last, so that a failure before leaves nothing that closes asynchronously. */
    if (!open_admin(gateway, options, err)) {
        gateway_free(gateway);
        return false;
    }
    if (!open_http(gateway, options, err)) {
        if (gateway->admin_http == NULL) {
            gateway_free(gateway);
        } else {
            http_server_close(gateway->admin_http, free_after_admin, gateway);
            loop_run(loop); /* closing takes a turn; nothing else is open yet */
        }
        return false;
    }
    const struct link_server_config link_config = {.heartbeat_ms = options->heartbeat_ms,
                                                   .handshake_ms = LIMIT_LINK_HANDSHAKE_MS,
                                                   .backlog_bytes = LIMIT_LINK_BACKLOG_BYTES,
                                                   .watch_ping_ms = LIMIT_LINK_WATCH_PING_MS,
                                                   .watch_silence_ms = LIMIT_LINK_WATCH_SILENCE_MS};
    gateway->links = link_server_new(loop, &link_config, &GATEWAY_LINK_EVENTS, gateway);
    sandbox_start(gateway->sandbox);
    api_resume(gateway->api);
    *out = gateway;
    LOG_INFO_EVENT("gateway.listening", LOG_TEXT("address", options->listen), LOG_INT("port", gateway_port(gateway)),
                   LOG_TEXT("tls", gateway->tls == NULL ? "no" : "yes"));
    return true;
}

unsigned gateway_port(const struct gateway *gateway) {
    return http_server_port(gateway->http);
}

bool gateway_model_at(const struct gateway *gateway, size_t index, struct str *model, bool *available) {
    enum core_availability availability;
    const bool found = core_model_at(gateway->core, index, model, &availability, NULL);
    *available = found && availability == CORE_MODEL_AVAILABLE;
    return found;
}

void gateway_drain(struct gateway *gateway) {
    if (gateway->state != GATEWAY_SERVING) {
        close_parts(gateway);
        return;
    }
    LOG_INFO_EVENT("gateway.draining", LOG_INT("requests", calls_count(gateway->calls)));
    gateway->state = GATEWAY_DRAINING;
    gateway->drain_until_ms = loop_now_ms(gateway->loop) + gateway->drain_ms;
    http_server_drain(gateway->http);
    api_drain(gateway->api);
    link_server_drain(gateway->links);
    canaries_stop(gateway);
    gateway_step(gateway, &(struct core_event){.kind = CORE_EVENT_DRAIN});
    loop_timer_start(gateway->drain_timer, 0, DRAIN_CHECK_MS);
}
