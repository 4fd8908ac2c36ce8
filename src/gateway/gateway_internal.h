/* Shared by the files of this folder only. */
#ifndef NATARIS_GATEWAY_GATEWAY_INTERNAL_H
#define NATARIS_GATEWAY_GATEWAY_INTERNAL_H

#include "api/admin.h"
#include "api/api.h"
#include "api/auth.h"
#include "core/core.h"
#include "gateway/gateway.h"
#include "gateway/sandbox.h"
#include "link/link_server.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tls.h"
#include "store/store.h"

#include <uthash.h>

/* One link, from its proven hello until it is gone. */
struct gateway_provider {
    struct gateway *gateway;
    struct link_peer *peer; /* NULL once the link is gone */
    uint64_t handle;        /* the core's; CORE_NO_HANDLE until admitted */
    bool enrolling;         /* the store has been asked and has not answered */
    struct store_device device;
    struct gateway_provider *next, *prev;
    UT_hash_handle by_handle;
};

/* One job of the core. Outlives its call when the client goes away before the device has confirmed the cancel. */
struct gateway_job {
    struct gateway *gateway;
    struct api_call *call; /* NULL once the client has gone */
    uint64_t handle;       /* the core's; CORE_NO_HANDLE before it was admitted */
    struct store_job record;
    char provider_account_id[STORE_ID_MAX]; /* of the last attempt's device */
    char provider_region[8];
    struct api_result result; /* once settled */
    bool recorded;            /* the store has been given its record */
    bool in_sandbox;
    uint64_t sandbox_run; /* its number there */
};

enum gateway_state {
    GATEWAY_SERVING,
    GATEWAY_DRAINING, /* what runs may end */
    GATEWAY_STOPPING, /* what ran has failed; the answers are on their way to the clients */
    GATEWAY_CLOSING,
};

struct gateway {
    struct loop *loop;
    struct gateway_events events;
    void *context;
    enum gateway_state state;
    uint32_t drain_ms;
    uint64_t drain_until_ms; /* loop clock */
    struct err stop_reason;  /* code ERR_NONE for an ordinary stop */

    struct store *store;
    struct auth *auth;
    struct api *api;
    struct tls_context *tls;
    struct gateway_tier_limits tiers[STORE_TIER_UNLIMITED + 1];
    struct admin *admin;
    struct http_server *admin_http;
    struct http_server *http;
    struct link_server *links;
    struct sandbox *sandbox;
    struct core *core;
    struct loop_timer *core_timer, *drain_timer;
    unsigned still_open; /* parts that have not reported closed */

    struct gateway_provider *providers;           /* every one, also while enrolling */
    struct gateway_provider *providers_by_handle; /* uthash */

    bool stepping;            /* effects are being carried out */
    struct core_event *later; /* what the core is told after them: CLIENT_GONE and ABORT, which borrow nothing */
    size_t later_count, later_capacity;
};

/* core_shell.c: hands an event to the core and carries out its effects. */
void gateway_step(struct gateway *gateway, const struct core_event *event);
/* Right after the step under way, or else after the next one. */
void gateway_step_later(struct gateway *gateway, const struct core_event *event);
void gateway_core_timer_due(void *context); /* the gateway */

/* gateway_calls.c: the API's backend, and jobs from submit to their record. */
extern const struct api_backend GATEWAY_API_BACKEND; /* its context is filled in by gateway_open */
/* Every call gets its answer now: that the gateway stops, and nothing is charged. One that is being settled goes on. */
void gateway_calls_stop(struct gateway *gateway);
/* Frees the job, after writing its record if no settlement has done so. */
void gateway_job_end(struct gateway_job *job, enum store_job_outcome outcome);

/* gateway_accounts.c: accounts, keys and limits, from the store to the core and auth, at the start and by admin actions. */
MUST_CHECK bool gateway_accounts_load(struct gateway *gateway, struct err *err);
extern const struct admin_backend GATEWAY_ADMIN_BACKEND; /* its context is filled in by gateway_open */

/* gateway_providers.c: links from hello to gone. */
extern const struct link_server_events GATEWAY_LINK_EVENTS;
struct gateway_provider *gateway_provider_find(struct gateway *gateway, uint64_t handle);
void gateway_provider_admitted(struct gateway_provider *provider, uint64_t handle);
void gateway_provider_refused(struct gateway_provider *provider);

/* gateway_errors.c: the core's and the devices' failures in the API's words. */
void gateway_error_from_core(const struct core_effect *effect, struct str model, struct api_error *out);
void gateway_error_suspended(struct api_error *out);
/* A plain answer over LIMIT_ANSWER_BYTES. */
void gateway_error_too_long(struct api_error *out);
/* The gateway stops before this call could end. */
void gateway_error_stopped(struct api_error *out);
void gateway_error_from_engine(enum gen_failure failure, const char *message, const char *param, struct api_error *out);

#endif
