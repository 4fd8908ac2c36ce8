/* nataris gateway: the API and the links, without a provider of its own. */
#ifndef NATARIS_CMD_GATEWAY_H
#define NATARIS_CMD_GATEWAY_H

#include "cmd/command.h"
#include "gateway/gateway.h"

struct gateway_config {
    const char *config, *data, *listen, *tls_cert, *tls_key, *log_level, *models;
    const char *trusted_proxies;
    const char *tier_free, *tier_starter, *tier_pro;
    const char *quota_free, *quota_starter, *quota_pro;
    uint32_t drain_s, heartbeat_ms, canary_s, max_jobs, max_queue, max_attempts;
    uint32_t queue_ms, accept_ms, first_token_ms, prefill_least, silence_ms, whole_ms, whole_per_token_ms, cooldown_ms;
    uint32_t keep_days, hold_days, disk_floor_mib;
    uint32_t address_connections, address_rate, address_failed_keys;
    uint32_t owner_share_percent;
    double audit_percent;
    bool json, webhooks_lax, titles_off, summaries_off, counting_off, trust_devices;
};

extern const struct command COMMAND_GATEWAY;

/* What the command line says, for gateway_open; strings are borrowed from `config`. ERR_INVALID names the option that
 * is missing or out of range. */
MUST_CHECK bool cmd_gateway_fill(const struct gateway_config *config, struct gateway_options *options, struct err *err);

#endif
