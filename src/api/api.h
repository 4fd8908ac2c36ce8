/* The HTTP API: routes only. A route reads a request, asks a room below (calls, conversations, workflows, jobs, the
 * store) and writes what it says. */
#ifndef NATARIS_API_API_H
#define NATARIS_API_API_H

#include "base/buf.h"
#include "base/json_write.h"
#include "call/calls.h"
#include "format/format.h"
#include "net/http_server.h"
#include "store/money.h"

#include <stdbool.h>
#include <stdint.h>

struct api;
struct store_device;

/* What routes ask of the gateway, beside what calls do (struct call_backend). */
struct api_backend {
    void *context;
    bool webhooks_lax;              /* webhooks may go to http: and into private networks (net/web_url.h) */
    bool titles_off, summaries_off; /* no conversation gets them written by a model */
    /* Whether some model can serve now and the gateway is not draining. */
    bool (*ready)(void *context);
    /* GET /v1/usage of a test key: the sandbox keeps its own count. NULL models: none yet. */
    void (*sandbox_usage)(void *context, const struct auth_identity *identity, struct store_usage *usage);
    /* Members of what is known of a device at this moment, into an open object. */
    void (*provider_write)(void *context, const struct store_device *device, struct json_writer *writer);
    /* A provider's link: takes over the exchange (GET /link). */
    void (*link)(void *context, struct http_exchange *exchange);
};

/* `calls` and `formats` are borrowed, the backend is copied. */
struct api *api_new(struct calls *calls, const struct formats *formats, const struct api_backend *backend);
void api_free(struct api *api); /* no call may be alive; NULL is fine */
/* The handlers for struct http_server_events; their context is the struct api. */
void api_on_request(void *context, struct http_exchange *exchange);
void api_on_refused(void *context, struct http_exchange *exchange, int status, const char *why);
/* Goes on with the jobs and workflows that were open when the gateway before this one ended. */
void api_resume(struct api *api);
/* From now on runs fail instead of beginning (call/run.h); those that run go on. */
void api_drain(struct api *api);

#endif
