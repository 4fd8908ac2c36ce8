#include "gateway/gateway.h"

#include "admin/admin.h"
#include "admin/http.h"
#include "api/api.h"
#include "auth/auth.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/random.h"
#include "call/call.h"
#include "call/failure.h"
#include "call/run.h"
#include "catalog/catalog.h"
#include "format/formats.h"
#include "gateway/accounts.h"
#include "gateway/audit.h"
#include "gateway/call_rates.h"
#include "gateway/canary.h"
#include "gateway/core_shell.h"
#include "gateway/database.h"
#include "gateway/disk_guard.h"
#include "gateway/doors.h"
#include "gateway/retention.h"
#include "gateway/sandbox/sandbox.h"
#include "gateway/views.h"
#include "link/server.h"
#include "net/http_server.h"
#include "net/tls.h"
#include "store/owed.h"
#include "store/store.h"
#include "webhook/sender.h"
#include "wire/limits.h"

#include <stdlib.h>
#include <string.h>

enum { DISK_FLOOR_BYTES = 64 * 1024 * 1024, CANARY_MS = 30 * 60 * 1000, AUDIT_PERMILLE = 50 };
/* STOP_MS: for answers that are on their way when the drain's time is over. */
enum { DRAIN_CHECK_MS = 100, STOP_MS = 1000 };

enum gateway_state {
    GATEWAY_SERVING,
    GATEWAY_DRAINING, /* what runs may end */
    GATEWAY_STOPPING, /* what ran has failed; the answers are on their way to the clients */
    GATEWAY_CLOSING,
};

struct gateway { /* its parts are owned, but for the loop */
    struct loop *loop;
    struct gateway_events events;
    void *context;
    enum gateway_state state;
    uint32_t drain_ms;
    uint64_t drain_until_ms; /* loop clock */
    struct loop_timer *drain_timer;
    struct err stop_reason; /* code ERR_NONE for an ordinary stop */
    unsigned still_open;    /* parts that have not reported closed */

    struct store *store;
    struct auth *auth;
    struct core_shell shell;
    struct accounts accounts;
    struct call_rates rates;
    struct canaries canaries;
    struct audits audits;
    struct sandbox *sandbox;
    struct counters *counters;
    struct webhook_sender *webhooks;
    struct retention retention;
    struct calls *calls;
    struct api *api;
    struct tls_context *tls;
    struct doors doors;
    struct disk_guard guard;
    struct http_server *http;
    struct link_server *links;
    struct admin *admin;
    struct http_server *admin_http; /* NULL: the admin API listens nowhere */
};

void gateway_options_init(struct gateway_options *options) {
    *options = (struct gateway_options){.drain_ms = 30 * 1000,
                                        .heartbeat_ms = LIMIT_LINK_HEARTBEAT_MS,
                                        .canary_ms = CANARY_MS,
                                        .hold_days = STORE_HOLD_DAYS,
                                        .disk_floor_bytes = DISK_FLOOR_BYTES,
                                        .audit_permille = AUDIT_PERMILLE};
    doors_limits_init(&options->addresses);
    core_config_init(&options->core);
    gateway_tiers_init(options->tiers, &options->quotas);
}

/* --- What the rooms above ask of the gateway --- */

static void admin_execute(void *context, const struct store_admin *action, admin_done *done, void *done_context) {
    struct gateway *gateway = context;
    accounts_execute(&gateway->accounts, action, done, done_context);
}

static bool admin_account_view(void *context, uint64_t account_number, struct core_account_view *view) {
    const struct gateway *gateway = context;
    return core_account_view(gateway->shell.core.core, account_number, loop_now_ms(gateway->loop), view);
}

static bool admin_model_offered(void *context, struct str model) {
    const struct gateway *gateway = context;
    return core_model_availability(gateway->shell.core.core, model, NULL) != CORE_MODEL_ABSENT;
}

static struct metrics metrics_now(const struct gateway *gateway) {
    struct metrics metrics = {.core = core_counts(gateway->shell.core.core),
                              .network = gateway->shell.counts,
                              .store = store_counts(gateway->store),
                              .connections = http_server_connection_count(gateway->http)};
    disk_guard_measure(&gateway->guard, &metrics);
    return metrics;
}

static void admin_metrics(void *context, bool status, struct buf *out) {
    const struct metrics metrics = metrics_now(context);
    (status ? metrics_write_status : metrics_write)(&metrics, out);
}

static void admin_review_write(void *context, const struct store_review *review, struct json_writer *writer) {
    const struct gateway *gateway = context;
    views_write_review(&gateway->shell, review, writer);
}

static void provider_write(void *context, const struct store_device *device, struct json_writer *writer) {
    const struct gateway *gateway = context;
    views_write_device(&gateway->shell, device, writer);
}

static bool admin_generation_write(void *context, const char *id, struct json_writer *writer) {
    struct gateway *gateway = context;
    return views_write_story(&gateway->shell, id, writer);
}

static const struct admin_backend ADMIN_BACKEND = {
    .execute = admin_execute,
    .account_view = admin_account_view,
    .model_offered = admin_model_offered,
    .review_write = admin_review_write,
    .metrics = admin_metrics,
    .provider_write = provider_write,
    .generation_write = admin_generation_write,
};

static bool api_ready(void *context) {
    const struct gateway *gateway = context;
    return gateway->state == GATEWAY_SERVING && views_ready(&gateway->shell);
}

static void api_sandbox_usage(void *context, const struct auth_identity *identity, struct store_usage *usage) {
    const struct gateway *gateway = context;
    sandbox_usage(gateway->sandbox, identity, usage);
}

static uint64_t api_call_wait_ms(void *context, const struct auth_identity *identity) {
    struct gateway *gateway = context;
    return call_rates_take(&gateway->rates, identity->account_number, loop_now_ms(gateway->loop));
}

static void api_device_remove(void *context, const char *account_id, const char *device_id,
                              void (*done)(void *done_context, const struct store_admin *result, const struct err *err),
                              void *done_context) {
    struct gateway *gateway = context;
    accounts_remove_device(&gateway->accounts, account_id, device_id, done, done_context);
}

static void api_link(void *context, struct http_exchange *exchange) {
    const struct gateway *gateway = context;
    link_server_accept(gateway->links, exchange);
}

static struct api_backend api_backend_of(struct gateway *gateway, const struct gateway_options *options) {
    return (struct api_backend){.context = gateway,
                                .webhooks_lax = options->webhooks_lax,
                                .titles_off = options->titles_off,
                                .summaries_off = options->summaries_off,
                                .ready = api_ready,
                                .call_wait_ms = api_call_wait_ms,
                                .receipt_key = options->receipt_key,
                                .sandbox_usage = api_sandbox_usage,
                                .provider_write = provider_write,
                                .device_remove = api_device_remove,
                                .accounts = accounts_for_api(&gateway->accounts),
                                .link = api_link};
}

static void on_models_changed(void *context) {
    const struct gateway *gateway = context;
    if (gateway->events.on_models_changed != NULL) {
        gateway->events.on_models_changed(gateway->context);
    }
}

/* --- Closing --- */

/* Everything that closes at once; the rest is closed and gone by now, or was never opened. */
static void gateway_free(struct gateway *gateway) {
    loop_timer_free(gateway->drain_timer);
    webhook_sender_stop(gateway->webhooks);
    retention_stop(&gateway->retention);
    if (gateway->store != NULL) {
        store_close(gateway->store); /* answers key look-ups that still wait, through the API */
    }
    webhook_sender_free(gateway->webhooks);
    retention_clear(&gateway->retention);
    api_free(gateway->api);
    runs_close(gateway->calls);
    calls_free(gateway->calls);
    sandbox_free(gateway->sandbox);
    counters_free(gateway->counters);
    admin_free(gateway->admin);
    auth_free(gateway->auth);
    doors_clear(&gateway->doors);
    disk_guard_clear(&gateway->guard);
    call_rates_clear(&gateway->rates);
    accounts_clear(&gateway->accounts);
    canaries_clear(&gateway->canaries);
    audits_clear(&gateway->audits);
    core_shell_clear(&gateway->shell);
    if (gateway->tls != NULL) {
        tls_context_free(gateway->tls);
    }
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

static void counters_closed(void *context) {
    struct gateway *gateway = context;
    gateway->counters = NULL;
    part_closed(gateway);
}

/* A workflow's runs are stopped by it; the sandbox stops its own. */
static void stop_call(void *context, struct call *call) {
    const struct gateway *gateway = context;
    if (call->executor == &gateway->shell.generations.executor) {
        generation_abort(call->executor_data, CORE_FAILURE_STOPPED);
    }
}

static void tell_drain(struct gateway *gateway) {
    core_loop_step(&gateway->shell.core, &(struct core_event){.kind = CORE_EVENT_DRAIN});
}

/* Every call gets its answer now: that the gateway stops, and nothing is charged. One that is being settled goes on. */
static void stop_calls(struct gateway *gateway) {
    struct fault fault;
    call_each(gateway->calls, stop_call, gateway);
    tell_drain(gateway);
    failure_stopped(&fault);
    sandbox_stop(gateway->sandbox, &fault);
}

static void close_parts(struct gateway *gateway) {
    if (gateway->state == GATEWAY_CLOSING) {
        return;
    }
    gateway->state = GATEWAY_CLOSING;
    loop_timer_stop(gateway->drain_timer);
    stop_calls(gateway);
    gateway->still_open = gateway->admin_http == NULL ? 4 : 5;
    /* Clients first: cutting what still runs sends cancels over links that are still open. */
    http_server_close(gateway->http, part_closed, gateway);
    if (gateway->admin_http != NULL) {
        http_server_close(gateway->admin_http, part_closed, gateway);
    }
    link_server_close(gateway->links, part_closed, gateway);
    sandbox_close(gateway->sandbox, sandbox_closed, gateway);
    counters_close(gateway->counters, counters_closed, gateway);
}

/* Polled while draining: requests end in many places, and a tenth of a second more does not matter at a stop. */
static void drain_check(void *context) {
    struct gateway *gateway = context;
    const bool over = loop_now_ms(gateway->loop) >= gateway->drain_until_ms;
    const bool idle = calls_count(gateway->calls) == 0 && core_counts(gateway->shell.core.core).generations == 0;
    if (gateway->state == GATEWAY_DRAINING && over && !idle) {
        gateway->state = GATEWAY_STOPPING;
        gateway->drain_until_ms += STOP_MS;
        LOG_INFO_EVENT("gateway.drain_over", LOG_INT("requests", calls_count(gateway->calls)));
        stop_calls(gateway);
    } else if (gateway->state == GATEWAY_DRAINING
                   ? idle
                   : over || (idle && http_server_connection_count(gateway->http) == 0)) {
        close_parts(gateway);
    }
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
    canaries_stop(&gateway->canaries);
    audits_stop(&gateway->audits);
    tell_drain(gateway);
    loop_timer_start(gateway->drain_timer, 0, DRAIN_CHECK_MS);
}

static void on_store_broken(void *context, const struct err *err) {
    struct gateway *gateway = context;
    LOG_ERROR_EVENT("store.broken", LOG_TEXT("error", err->message));
    gateway->stop_reason = *err;
    gateway_drain(gateway); /* what cannot be recorded must not be acknowledged */
}

/* --- Opening --- */

static void open_core(struct gateway *gateway, const struct gateway_options *options) {
    struct core_config config = options->core;
    random_bytes(&config.seed, sizeof(config.seed));
    config.trace = true; /* `nataris job explain` lives on it */
    core_shell_init(&gateway->shell, gateway->loop, gateway->store, &config);
    gateway->shell.providers.on_models_changed = on_models_changed;
    gateway->shell.providers.context = gateway;
    if (options->local_token != NULL) {
        providers_set_local(&gateway->shell.providers, str_from(options->local_token));
    }
    gateway->shell.providers.all_trusted = options->devices_trusted;
    canaries_init(&gateway->canaries, &gateway->shell, options->canary_ms);
    for (size_t i = 0; i < catalog_count(); i++) {
        const struct catalog_model *model = catalog_at(i);
        core_loop_step(&gateway->shell.core, &(struct core_event){.kind = CORE_EVENT_MODEL,
                                                                  .model = {.model = str_from(model->id),
                                                                            .file_bytes = model->file_bytes,
                                                                            .ram_bytes = model->ram_bytes,
                                                                            .context_length = model->context_length}});
    }
}

static bool open_accounts(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    gateway->accounts = (struct accounts){
        .shell = &gateway->shell, .store = gateway->store, .auth = gateway->auth, .rates = &gateway->rates};
    memcpy(gateway->accounts.tiers, options->tiers, sizeof(gateway->accounts.tiers));
    return accounts_open(&gateway->accounts, err);
}

static bool open_store(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    if (!doors_init(&gateway->doors, &options->addresses, options->trusted_proxies, err) ||
        !gateway_database_open(&gateway->store, options->store_path, err) ||
        !gateway_database_tell(gateway->store, options->hold_days, &options->quotas, err)) {
        return false;
    }
    gateway->auth = auth_new(gateway->store);
    const struct webhook_sender_options webhooks = {.loop = gateway->loop,
                                                    .store = gateway->store,
                                                    .running_max = gateway->doors.descriptors.webhooks,
                                                    .lax = options->webhooks_lax};
    open_core(gateway, options);
    if (!audit_book_open(&gateway->shell.audit_book, options->audit_path, options->audit_permille, err)) {
        return false;
    }
    audits_init(&gateway->audits, &gateway->shell);
    if (!open_accounts(gateway, options, err) ||
        !store_start(gateway->store, loop_uv(gateway->loop), on_store_broken, gateway, err)) {
        return false;
    }
    auth_learn_hashes(gateway->auth);
    retention_open(&gateway->retention, gateway->loop, gateway->store, options->keep_days);
    return webhook_sender_new(&gateway->webhooks, &webhooks, err);
}

/* What answers, behind the listeners. */
static void open_rooms(struct gateway *gateway, const struct gateway_options *options) {
    gateway->drain_timer = loop_timer_new(gateway->loop, drain_check, gateway);
    gateway->shell.disk = &gateway->guard.disk;
    gateway->sandbox = sandbox_new(gateway->loop, &options->core);
    gateway->counters = counters_new(gateway->loop, options->model_file, options->model_file_context);
    struct call_counter counter = counters_of_calls(gateway->counters);
    counter.fixed = options->rates_fixed;
    const struct call_backend network =
        views_call_backend(&gateway->shell, sandbox_executor(gateway->sandbox), &counter);
    gateway->calls = calls_new(gateway->loop, gateway->auth, gateway->store, &network);
    runs_open(gateway->calls);
    const struct api_backend backend = api_backend_of(gateway, options);
    gateway->api = api_new(gateway->calls, &FORMATS, &backend);
}

static bool open_http(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    static const struct http_server_events EVENTS = {
        .on_head = api_on_head, .on_request = api_on_request, .on_refused = api_on_refused};
    const struct http_server_config config = doors_http_config();
    if (options->tls_key != NULL) {
        file_warn_open(options->tls_key, "private key of TLS");
    }
    if (options->tls_cert != NULL && !tls_context_new_server(&gateway->tls, options->tls_cert, options->tls_key, err)) {
        return false;
    }
    const struct listener_options listen = doors_public(&gateway->doors, options->listen, gateway->tls);
    return http_server_open(&gateway->http, gateway->loop, &listen, &config, &EVENTS, gateway->api, err);
}

static bool open_admin(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    static const struct http_server_events EVENTS = {.on_request = admin_on_request, .on_refused = admin_on_refused};
    const struct http_server_config config = doors_http_config();
    struct admin_backend backend = ADMIN_BACKEND;
    if (options->admin == NULL) {
        return true;
    }
    const struct listener_options listen = doors_admin(options->admin);
    backend.context = gateway;
    gateway->admin = admin_new(gateway->loop, gateway->store, &backend);
    return http_server_open(&gateway->admin_http, gateway->loop, &listen, &config, &EVENTS, gateway->admin, err);
}

static void free_after_admin(void *context) {
    gateway_free(context);
}

/* Listening comes last, so that a failure before leaves nothing that closes asynchronously. */
static bool open_listeners(struct gateway *gateway, const struct gateway_options *options, struct err *err) {
    if (!open_admin(gateway, options, err)) {
        gateway_free(gateway);
        return false;
    }
    if (open_http(gateway, options, err)) {
        return true;
    }
    if (gateway->admin_http == NULL) {
        gateway_free(gateway);
    } else {
        http_server_close(gateway->admin_http, free_after_admin, gateway);
        loop_run(gateway->loop); /* closing takes an iteration; nothing else is open yet */
    }
    return false;
}

static void open_links(struct gateway *gateway, const struct gateway_options *options) {
    const struct link_server_config config = doors_links(options->heartbeat_ms);
    gateway->links = link_server_new(gateway->loop, &config, &PROVIDERS_LINK_EVENTS, &gateway->shell.providers);
}

bool gateway_open(struct gateway **out, struct loop *loop, const struct gateway_options *options,
                  const struct gateway_events *events, void *context, struct err *err) {
    struct gateway *gateway = MEM_NEW(struct gateway);
    gateway->loop = loop;
    gateway->events = *events;
    gateway->context = context;
    gateway->drain_ms = options->drain_ms;
    if (!open_store(gateway, options, err)) {
        gateway_free(gateway);
        return false;
    }
    gateway->guard = (struct disk_guard){{0}, gateway->store, gateway->webhooks, &gateway->shell.audit_book};
    disk_guard_open(&gateway->guard, loop, options->store_path, options->disk_floor_bytes);
    open_rooms(gateway, options);
    if (!open_listeners(gateway, options, err)) {
        return false; /* and freed it */
    }
    open_links(gateway, options);
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
    const bool found = core_model_at(gateway->shell.core.core, index, model, &availability, NULL);
    *available = found && availability == CORE_MODEL_AVAILABLE;
    return found;
}
