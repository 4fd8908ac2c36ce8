/* What routes ask of the gateway, beside what calls do (struct call_backend). Types only. */
#ifndef NATARIS_API_BACKEND_H
#define NATARIS_API_BACKEND_H

#include "auth/auth.h"
#include "base/json_write.h"
#include "net/http_server.h"

#include <stdbool.h>

struct store_admin;
struct store_device;
struct store_usage;

struct api_backend {
    void *context;
    bool webhooks_lax;              /* webhooks may go to http: and into private networks (net/web_url.h) */
    bool titles_off, summaries_off; /* no conversation gets them written by a model */
    /* The gateway's private key that signs receipts; copied. NULL: one of nobody, for tests. */
    const uint8_t *receipt_key;
    /* Whether some model can serve now and the gateway is not draining. */
    bool (*ready)(void *context);
    /* How long the account has to wait before it may send another request of any kind; 0: not at all, and this one is
     * counted. */
    uint64_t (*call_wait_ms)(void *context, const struct auth_identity *identity);
    /* GET /v1/usage of a test key: the sandbox keeps its own count. NULL models: none yet. */
    void (*sandbox_usage)(void *context, const struct auth_identity *identity, struct store_usage *usage);
    /* Members of what is known of a device at this moment, into an open object. */
    void (*provider_write)(void *context, const struct store_device *device, struct json_writer *writer);
    /* Takes an account's own device out of the network, for good. ERR_NOT_FOUND: it has no such device; ERR_CONFLICT:
     * it is out already. */
    void (*device_remove)(void *context, const char *account_id, const char *device_id,
                          void (*done)(void *done_context, const struct store_admin *result, const struct err *err),
                          void *done_context);
    /* What an account may change of itself; with a context of its own. */
    struct api_accounts {
        void *context;
        /* How long it has to wait before a further change; 0: not at all, and this one is counted. */
        uint64_t (*change_wait_ms)(void *context, const struct auth_identity *identity);
        /* Whether its prompts may be shown to devices that score answers. ERR_NOT_FOUND. */
        void (*audits_set)(void *context, const char *account_id, bool audits,
                           void (*done)(void *done_context, const struct store_admin *result, const struct err *err),
                           void *done_context);
    } accounts;
    /* A provider's link: takes over the exchange (GET /link). */
    void (*link)(void *context, struct http_exchange *exchange);
};

#endif
