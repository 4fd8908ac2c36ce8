/* The gateway: HTTP API, links to providers, store, and the pure core called inline on one loop. This folder is the
 * only place that wires them together and picks backends. */
#ifndef NATARIS_GATEWAY_GATEWAY_H
#define NATARIS_GATEWAY_GATEWAY_H

#include "base/err.h"
#include "base/str.h"
#include "core/core.h"
#include "gateway/counters.h"
#include "gateway/tiers.h"
#include "net/address_book.h"
#include "net/loop.h"

#include <stdbool.h>
#include <stdint.h>

struct gateway;

struct gateway_options {    /* strings are borrowed until gateway_open returns */
    const char *store_path; /* the database file; its folder exists */
    const char *listen;     /* "HOST:PORT"; port 0 picks a free one */
    const char *tls_cert;   /* PEM files, or both NULL for plain HTTP */
    const char *tls_key;
    const char *admin; /* where the admin API listens, such as "unix:DATA/admin.sock"; NULL: nowhere */
    struct gateway_tier_limits tiers[GATEWAY_TIERS];
    struct store_quotas quotas;
    const char *local_token;         /* the join token of the device that is started with this gateway; NULL: none */
    bool devices_trusted;            /* all of them are the operator's own, and believed */
    uint32_t drain_ms;               /* how long running requests may go on after gateway_drain */
    uint32_t heartbeat_ms;           /* between two heartbeats of a provider */
    uint32_t canary_ms;              /* between two questions to idle providers; 0: none */
    struct address_limits addresses; /* of one address, before a key is known */
    uint64_t disk_floor_bytes;       /* with less free where the database is nothing is taken on; 0: no floor */
    const char *trusted_proxies;     /* numeric addresses separated by commas; NULL: none */
    const char *audit_path;          /* where what audits find is kept; NULL: nowhere */
    uint32_t audit_permille;         /* how many jobs of known devices are audited; 0: no audits */
    bool webhooks_lax;  /* webhooks may also go to http: and into private networks: the operator's own, and tests */
    uint32_t keep_days; /* records of older generations are rolled up; 0: all are kept */
    bool titles_off, summaries_off; /* no conversation gets them written by a model */
    uint32_t hold_days;             /* after which earnings are ripe (store/owed.h) */
    /* Where the file of a model is that the gateway may count tokens with (gateway/counters.h); NULL: it has none. The
     * context lives as long as the gateway. */
    counters_find *model_file;
    void *model_file_context;
    bool rates_fixed; /* what devices count does not change how tokens are estimated */
    struct core_config core;
};
/* The documented defaults; paths and addresses stay NULL. */
void gateway_options_init(struct gateway_options *options);

struct gateway_events {
    /* Some model became available or stopped being so. May be NULL. */
    void (*on_models_changed)(void *context);
    /* After gateway_drain: everything is closed and the gateway is freed. `err` is NULL, or why it had to stop by
     * itself (the store broke). */
    void (*on_stopped)(void *context, const struct err *err);
};

/* Opens the store, listens, and is ready for requests and providers when it returns. A failure may run the loop until
 * nothing is open in it any more, so nothing else should be. */
MUST_CHECK bool gateway_open(struct gateway **out, struct loop *loop, const struct gateway_options *options,
                             const struct gateway_events *events, void *context, struct err *err);
unsigned gateway_port(const struct gateway *gateway);
/* Every model that some provider offers: index from 0 until false. */
bool gateway_model_at(const struct gateway *gateway, size_t index, struct str *model, bool *available);
/* No new work; running requests finish within drain_ms; then everything closes and on_stopped is called. A second call
 * cuts what is still running. */
void gateway_drain(struct gateway *gateway);

#endif
