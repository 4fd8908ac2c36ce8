/* Shared by the files of this folder only. */
#ifndef NATARIS_GATEWAY_INTERNAL_H
#define NATARIS_GATEWAY_INTERNAL_H

#include "admin/admin.h"
#include "api/api.h"
#include "auth/auth.h"
#include "base/json_write.h"
#include "call/call.h"
#include "call/failure.h"
#include "core/core.h"
#include "gateway/canary.h"
#include "gateway/gateway.h"
#include "gateway/operator/story.h"
#include "gateway/sandbox/sandbox.h"
#include "link/peer.h"
#include "link/server.h"
#include "net/http_server.h"
#include "net/loop.h"
#include "net/tls.h"
#include "store/accounts.h"
#include "store/devices.h"
#include "store/generations.h"
#include "store/store.h"
#include "webhook/sender.h"

#include <uthash.h>
#include <utlist.h>

/* One link, from its proven hello until it is gone. */
struct gateway_provider {
    struct gateway *gateway;
    struct link_peer *peer; /* NULL once the link is gone */
    uint64_t handle;        /* the core's; CORE_NO_HANDLE until admitted */
    bool enrolling;         /* the store has been asked and has not answered */
    struct store_device device;
    uint64_t ram_bytes;    /* of its hello */
    int64_t joined_ms;     /* wall clock; 0 until admitted */
    enum link_pause pause; /* as its latest status said */
    bool relink; /* its link is to be closed when its jobs are over: something that it joins with has changed */
    struct gateway_provider *next, *prev;
    UT_hash_handle by_handle, by_id; /* once admitted */
};

/* What is known of the device of one attempt: it may be gone by the time the job is settled. */
struct gateway_attempt {
    uint32_t number; /* the core's */
    char device_id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    char region[8];
};

/* One job of the core. Outlives its call when the client goes away before the device has confirmed the cancel. */
struct gateway_job {
    struct gateway *gateway;
    struct call *call;     /* NULL once the client has gone, and of a canary */
    struct canary *canary; /* NULL: a client's job */
    uint64_t handle;       /* the core's; CORE_NO_HANDLE before it was admitted */
    struct store_generation record;
    struct gateway_attempt first_attempt, *attempts; /* in order; the latter owned, unless it is the former */
    size_t attempt_count;
    struct job_story *story;         /* owned */
    struct gateway_job *next, *prev; /* those of the core */
    struct call_result result;       /* once settled */
    bool recorded;                   /* the store has been given its record */
    bool in_doubt;                   /* and nobody can tell whether it has taken it */
    bool repeatable;                 /* its failure is not recorded: it may be tried again under its id */
};

/* Since the start, for the metrics. */
struct gateway_counts {
    uint64_t placements, candidates, continuations, failures, lost, wants, silences, reviews, canaries;
    uint64_t queue_ms, queued; /* time that jobs waited until their first placement, and how many did */
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
    struct calls *calls;
    struct executor devices; /* answer calls by the core */
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
    struct gateway_provider *providers_by_id;     /* uthash */
    struct gateway_job *jobs;                     /* admitted by the core */
    struct job_log *job_log;
    struct webhook_sender *webhooks;
    struct gateway_counts counts;
    struct loop_timer *records_timer, *canary_timer;

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
struct executor gateway_devices(struct gateway *gateway);
struct call_backend gateway_call_backend(struct gateway *gateway); /* the sandbox must be there */
struct api_backend gateway_api_backend(struct gateway *gateway, const struct gateway_options *options);
/* Every call gets its answer now: that the gateway stops, and nothing is charged. One that is being settled goes on. */
void gateway_calls_stop(struct gateway *gateway);
/* Frees the job, after writing its record if no settlement has done so. */
void gateway_job_end(struct gateway_job *job, enum store_outcome outcome);

/* gateway_accounts.c: accounts, keys and limits, from the store to the core and auth, at the start and by admin actions. */
MUST_CHECK bool gateway_accounts_load(struct gateway *gateway, struct err *err);
extern const struct admin_backend GATEWAY_ADMIN_BACKEND; /* its context is filled in by gateway_open */

/* gateway_providers.c: links from hello to gone. */
extern const struct link_server_events GATEWAY_LINK_EVENTS;
struct gateway_provider *gateway_provider_find(struct gateway *gateway, uint64_t handle);
void gateway_provider_admitted(struct gateway_provider *provider, uint64_t handle);
void gateway_provider_refused(struct gateway_provider *provider);
void gateway_provider_watch(struct gateway *gateway, uint64_t handle, bool watched);
void gateway_provider_want(struct gateway *gateway, uint64_t handle, struct str model);

/* NULL: not connected. */
struct gateway_provider *gateway_provider_by_id(const struct gateway *gateway, const char *device_id);
/* It holds from the device's next link: that comes at once when it has no jobs, else after them. */
void gateway_provider_verified(struct gateway *gateway, const struct store_device *device);

/* provider_records.c */
struct core_record gateway_record_from_store(const struct store_record *kept);
/* After the core was told that it left; `handle` is what it had there. */
void gateway_record_keep_left(struct gateway_provider *provider, uint64_t handle);
void gateway_records_due(void *context); /* the gateway; every minute */

/* provider_why.c: words for the operator and for owners of devices. */
const char *gateway_gate_words(enum core_gate gate);
const char *gateway_gate_advice(enum core_gate gate); /* what the owner can do about it; NULL: nothing to say */
/* What one of a device's models gets jobs by, when no gate keeps them out. */
const char *gateway_open_words(const struct core_offer_view *offer);
/* The member `why`: the reasons in sentences. `view` NULL: the device is away. */
void gateway_write_why(const struct gateway_provider *provider, const struct core_provider_view *view,
                       struct json_writer *writer);
const char *gateway_model_state_name(enum core_model_state state);

/* provider_view.c, job_explain.c: for struct admin_backend and struct api_backend; their context is the gateway. */
void gateway_provider_write(void *context, const struct store_device *device, struct json_writer *writer);
bool gateway_job_write(void *context, const char *id, struct json_writer *writer);

/* gateway_metrics.c: Prometheus text; the context is the gateway. */
void gateway_metrics(void *context, struct buf *out);

/* gateway_attempts.c: a job on its devices. */
void gateway_job_dispatch(struct gateway *gateway, struct gateway_job *job, const struct core_effect *effect);
void gateway_job_settle(struct gateway *gateway, struct gateway_job *job, const struct core_effect *effect);

#endif
