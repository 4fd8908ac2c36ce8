#include "cmd/gateway.h"

#include "base/str.h"
#include "cmd/model_files.h"
#include "cmd/network.h"
#include "cmd/quota_options.h"
#include "cmd/signals.h"
#include "gateway/retention.h"
#include "store/owed.h"

#include <stdio.h>

enum { CANARY_S_MAX = 30 * 24 * 3600, HEARTBEAT_MS_MIN = 100, TIER_LIMIT_MAX = 1000000 };

struct gateway_run {
    struct network network;
    struct signals signals;
    int status;
};

static void on_stop_asked(void *context) {
    struct gateway_run *run = context;
    gateway_drain(run->network.gateway);
}

static void on_stopped(void *context, const struct err *err) {
    struct gateway_run *run = context;
    signals_close(&run->signals);
    if (err != NULL) {
        run->status = command_fail(err);
    }
}

static void copy_values(const struct gateway_config *config, struct gateway_options *options) {
    gateway_options_init(options);
    options->listen = config->listen;
    options->tls_cert = config->tls_cert;
    options->tls_key = config->tls_key;
    options->drain_ms = config->drain_s * 1000;
    options->heartbeat_ms = config->heartbeat_ms;
    options->canary_ms = config->canary_s * 1000;
    options->addresses.connections = config->address_connections;
    options->addresses.new_connections = config->address_rate;
    options->addresses.failed_keys = config->address_failed_keys;
    options->disk_floor_bytes = (uint64_t)config->disk_floor_mib * 1024 * 1024;
    options->trusted_proxies = config->trusted_proxies;
    options->audit_permille = (uint32_t)(config->audit_percent * 10 + 0.5);
    options->webhooks_lax = config->webhooks_lax;
    options->keep_days = config->keep_days;
    options->hold_days = config->hold_days;
    options->titles_off = config->titles_off;
    options->devices_trusted = config->trust_devices;
    options->summaries_off = config->summaries_off;
    options->core.max_generations = config->max_jobs;
    options->core.max_queue = config->max_queue;
    options->core.max_attempts = config->max_attempts;
    options->core.queue_ms = config->queue_ms;
    options->core.accept_ms = config->accept_ms;
    options->core.first_token_ms = config->first_token_ms;
    options->core.prefill_least_per_s = config->prefill_least;
    options->core.silence_ms = config->silence_ms;
    options->core.whole_ms = config->whole_ms;
    options->core.whole_per_token_ms = config->whole_per_token_ms;
    options->core.cooldown_ms = config->cooldown_ms;
    options->core.owner_share_percent = config->owner_share_percent;
}

/* "10/2" or "10/2/600": generations a minute, at once, and requests of any kind a minute, else as they are in `out`; 0
 * is no limit. */
static bool parse_tier(const char *text, struct gateway_tier_limits *out, struct err *err) {
    struct str minute, rest, concurrent, calls;
    uint64_t a = 0, b = 0, c = out->calls_per_minute;
    const bool split = str_split(str_from(text), '/', &minute, &rest);
    const bool three = split && str_split(rest, '/', &concurrent, &calls);
    if (!split || !str_parse_u64(minute, TIER_LIMIT_MAX, &a) || !str_parse_u64(concurrent, TIER_LIMIT_MAX, &b) ||
        (three && !str_parse_u64(calls, TIER_LIMIT_MAX, &c))) {
        return err_set(
            err, ERR_INVALID,
            "a tier is REQUESTS_PER_MINUTE/CONCURRENT/CALLS_PER_MINUTE such as 10/2/600, or without the last, "
            "not '%s'",
            text);
    }
    *out = (struct gateway_tier_limits){
        .requests_per_minute = (uint32_t)a, .concurrent = (uint32_t)b, .calls_per_minute = (uint32_t)c};
    return true;
}

static bool fill_tiers(const struct gateway_config *config, struct gateway_options *options, struct err *err) {
    return parse_tier(config->tier_free, &options->tiers[STORE_TIER_FREE], err) &&
           parse_tier(config->tier_starter, &options->tiers[STORE_TIER_STARTER], err) &&
           parse_tier(config->tier_pro, &options->tiers[STORE_TIER_PRO], err) &&
           quota_options_read(config->quota_free, options->quotas.of[STORE_TIER_FREE], err) &&
           quota_options_read(config->quota_starter, options->quotas.of[STORE_TIER_STARTER], err) &&
           quota_options_read(config->quota_pro, options->quotas.of[STORE_TIER_PRO], err);
}

static bool check(const struct gateway_config *config, struct err *err) {
    if (config->data == NULL) {
        return err_set(err, ERR_INVALID, "--data DIR is needed: the folder that keeps accounts and keys");
    }
    if ((config->tls_cert == NULL) != (config->tls_key == NULL)) {
        return err_set(err, ERR_INVALID, "--tls-cert and --tls-key go together");
    }
    if (config->max_attempts < 1 || config->max_attempts > CORE_ATTEMPTS_MAX) {
        return err_set(err, ERR_INVALID, "--max-attempts is 1 to %d", CORE_ATTEMPTS_MAX);
    }
    if (config->keep_days > RETENTION_DAYS_MAX) {
        return err_set(err, ERR_INVALID, "--keep-jobs-days is at most %d", RETENTION_DAYS_MAX);
    }
    if (config->hold_days > STORE_HOLD_DAYS_MAX) {
        return err_set(err, ERR_INVALID, "--earnings-hold-days is at most %d", STORE_HOLD_DAYS_MAX);
    }
    if (config->canary_s > CANARY_S_MAX) {
        return err_set(err, ERR_INVALID, "--canary-s is at most %d", CANARY_S_MAX);
    }
    if (config->owner_share_percent < 1 || config->owner_share_percent > 100) {
        return err_set(err, ERR_INVALID, "--owner-share-percent is 1 to 100");
    }
    if (config->audit_percent > 100) {
        return err_set(err, ERR_INVALID, "--audit-percent is at most 100");
    }
    if (config->heartbeat_ms < HEARTBEAT_MS_MIN) {
        return err_set(err, ERR_INVALID, "--heartbeat-ms is at least %d", HEARTBEAT_MS_MIN);
    }
    return true;
}

bool cmd_gateway_fill(const struct gateway_config *config, struct gateway_options *options, struct err *err) {
    copy_values(config, options);
    return check(config, err) && fill_tiers(config, options, err);
}

static int run_gateway(const void *parsed) {
    const struct gateway_config *config = parsed;
    static const struct gateway_events EVENTS = {.on_stopped = on_stopped};
    struct gateway_run run = {0};
    struct gateway_options options;
    struct model_files files;
    struct err err = {0};
    if (!cmd_gateway_fill(config, &options, &err) || !command_set_log_level(config->log_level, &err)) {
        return command_misused(&err);
    }
    model_files_init(&files, config->models, NULL);
    options.model_file = config->counting_off ? NULL : model_files_find;
    options.rates_fixed = config->counting_off;
    options.model_file_context = &files;
    struct loop *loop = loop_new();
    if (!network_open(&run.network, loop, config->data, &options, &EVENTS, &run, &err)) {
        if (run.network.gateway == NULL) {
            loop_free(loop); /* nothing else is open that it would wait for */
        }
        return command_fail(&err);
    }
    signals_open(&run.signals, loop, on_stop_asked, &run);
    if (config->json) {
        network_print_json(&run.network);
    } else {
        printf(
            "Gateway at %s\nThe owner's keys are in %s/owner.json\nAdd a device: nataris provider invite --data %s\n",
            run.network.base_url, config->data, config->data);
        fflush(stdout);
    }
    loop_run(loop);
    loop_free(loop);
    return run.status;
}

#define AT(member) offsetof(struct gateway_config, member)
static const struct option OPTIONS[] = {
    {"data", OPTION_TEXT, "DIR", NULL, "folder of the store and the owner's keys; made when missing", AT(data)},
    {"listen", OPTION_TEXT, "HOST:PORT", "127.0.0.1:8080", "address for clients and providers", AT(listen)},
    {"tls-cert", OPTION_TEXT, "FILE", NULL, "certificate chain (PEM): serve HTTPS", AT(tls_cert)},
    {"tls-key", OPTION_TEXT, "FILE", NULL, "its private key (PEM)", AT(tls_key)},
    {"json", OPTION_FLAG, NULL, NULL, "print base URL and keys as one line of JSON when listening", AT(json)},
    {"drain-s", OPTION_NUMBER, "SECONDS", "30", "how long running requests may go on after SIGTERM", AT(drain_s)},
    {"heartbeat-ms", OPTION_NUMBER, "MS", "5000", "a provider silent for three of these is gone", AT(heartbeat_ms)},
    {"canary-s", OPTION_NUMBER, "SECONDS", "1800",
     "how often an idle provider is asked something to see what it says; 0: never", AT(canary_s)},
    {"audit-percent", OPTION_REAL, "PERCENT", "5",
     "of the jobs of known providers, so many answers are scored by trusted ones (docs/AUDITS.md); 0: none",
     AT(audit_percent)},
    {"address-connections", OPTION_NUMBER, "N", "8192",
     "connections of one address (of IPv6: one /64) that have shown no good key; 0: no limit", AT(address_connections)},
    {"address-rate", OPTION_NUMBER, "N", "5000", "the same, new ones in a second", AT(address_rate)},
    {"address-failed-keys", OPTION_NUMBER, "N", "120", "wrong keys that one address may send in a minute",
     AT(address_failed_keys)},
    {"trusted-proxy", OPTION_TEXT, "ADDRESS,...", NULL,
     "numeric addresses of reverse proxies: their X-Forwarded-For says who a client is", AT(trusted_proxies)},
    {"webhooks-allow-private", OPTION_FLAG, NULL, NULL, "let webhooks go to http: and into private networks too",
     AT(webhooks_lax)},
    {"keep-jobs-days", OPTION_NUMBER, "DAYS", "0",
     "keep the record of each request for so long, then only what it adds up to; 0: for ever", AT(keep_days)},
    {"disk-floor", OPTION_NUMBER, "MIB", "64",
     "with less free where the database is, nothing more is taken on; 0: no floor", AT(disk_floor_mib)},
    {"earnings-hold-days", OPTION_NUMBER, "DAYS", "7",
     "what devices earn can be paid out so long after the request; 0: at once", AT(hold_days)},
    {"models", OPTION_TEXT, "DIR", NULL,
     "model folder of this machine: tokens of its models are counted, not estimated (default: as for providers)",
     AT(models)},
    {"no-counting", OPTION_FLAG, NULL, NULL,
     "tokens are estimated by fixed rates: no model file is opened, no device teaches", AT(counting_off)},
    {"no-titles", OPTION_FLAG, NULL, NULL, "no model writes titles of conversations", AT(titles_off)},
    {"no-summaries", OPTION_FLAG, NULL, NULL, "no model sums up conversations: the oldest messages are left out",
     AT(summaries_off)},
    {"tier-free", OPTION_TEXT, "N/M/C", "10/2/600",
     "tier Free: N requests for text a minute, M at once, C requests of any kind a minute; 0: no limit", AT(tier_free)},
    {"tier-starter", OPTION_TEXT, "N/M/C", "60/5/1800", "the same for tier Starter", AT(tier_starter)},
    {"tier-pro", OPTION_TEXT, "N/M/C", "300/20/6000", "the same for tier Pro", AT(tier_pro)},
    {"quota-free", OPTION_TEXT, "QUOTAS", "1000/128,10000/256,1000/128,20000/128,10000/32",
     "tier Free: what is kept of conversations, jobs, workflows, stored answers, webhook deliveries: ROWS/MIB of each; "
     "0: no limit",
     AT(quota_free)},
    {"quota-starter", OPTION_TEXT, "QUOTAS", "10000/1024,100000/2048,10000/1024,100000/512,100000/256",
     "the same for tier Starter", AT(quota_starter)},
    {"quota-pro", OPTION_TEXT, "QUOTAS", "100000/8192,1000000/16384,100000/8192,500000/4096,500000/2048",
     "the same for tier Pro", AT(quota_pro)},
    {"max-jobs", OPTION_NUMBER, "N", "8192", "jobs alive at once, queued or running", AT(max_jobs)},
    {"max-queue", OPTION_NUMBER, "N", "1024", "jobs waiting for a provider; more get 429", AT(max_queue)},
    {"max-attempts", OPTION_NUMBER, "N", "6", "providers tried before the next token", AT(max_attempts)},
    {"queue-ms", OPTION_NUMBER, "MS", "15000", "longest wait for a provider", AT(queue_ms)},
    {"accept-ms", OPTION_NUMBER, "MS", "2000", "longest time until a provider accepts a job", AT(accept_ms)},
    {"first-token-ms", OPTION_NUMBER, "MS", "15000", "from there to its first token, plus 20 ms a prompt token",
     AT(first_token_ms)},
    {"prefill-least", OPTION_NUMBER, "TOKENS", "5", "a device that shows progress has longer, down to so many a second",
     AT(prefill_least)},
    {"silence-ms", OPTION_NUMBER, "MS", "15000", "longest pause between tokens", AT(silence_ms)},
    {"whole-ms", OPTION_NUMBER, "MS", "60000", "longest time of a request ...", AT(whole_ms)},
    {"whole-per-token-ms", OPTION_NUMBER, "MS", "250", "... plus this for each token of max_tokens",
     AT(whole_per_token_ms)},
    {"cooldown-ms", OPTION_NUMBER, "MS", "10000", "a silent or failing provider gets no jobs for so long",
     AT(cooldown_ms)},
    {"owner-share-percent", OPTION_NUMBER, "PERCENT", "50",
     "of a model's jobs for the devices of one owner, while others' are free; 100: no bound", AT(owner_share_percent)},
    {"trust-devices", OPTION_FLAG, NULL, NULL,
     "what each device says of itself is believed from the start: for a network whose devices are all your own",
     AT(trust_devices)},
    OPTION_LOG_LEVEL(struct gateway_config, "info"),
    OPTION_CONFIG_FILE(struct gateway_config, config),
};
#undef AT

const struct command COMMAND_GATEWAY = {.name = "gateway",
                                        .summary = "Run the gateway: the API, and the links of providers",
                                        .options = {OPTIONS, COUNT_OF(OPTIONS)},
                                        .config_size = sizeof(struct gateway_config),
                                        .run = run_gateway};
