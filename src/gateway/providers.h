/* Providers as the gateway sees them: a link that has proven its key is enrolled or recognised by the store, then
 * admitted by the core; from then on its messages are events of the core. */
#ifndef NATARIS_GATEWAY_PROVIDERS_H
#define NATARIS_GATEWAY_PROVIDERS_H

#include "gateway/core_loop.h"
#include "gateway/operator/metrics.h"
#include "gateway/operator/story.h"
#include "gateway/provider_files.h"
#include "gateway/receipt_checks.h"
#include "link/server.h"
#include "store/store.h"

#include <stdbool.h>
#include <stdint.h>
#include <uthash.h>

/* One link, from its proven hello until it is gone. */
struct gateway_provider {
    struct providers *providers;
    struct link_peer *peer; /* NULL once the link is gone */
    uint64_t handle;        /* the core's; CORE_NO_HANDLE until admitted */
    bool enrolling;         /* the store has been asked and has not answered */
    struct store_device device;
    uint64_t ram_bytes;    /* of its hello */
    bool local;            /* the device of this very machine that the operator has started with the gateway */
    int64_t joined_ms;     /* wall clock; 0 until admitted */
    enum link_pause pause; /* as its latest status said */
    struct provider_files files;
    struct receipt_checks signing; /* how its signatures under what it delivers have been */
    bool is_trusted;               /* the operator's own, or verified by them; once admitted */
    bool is_scoring;               /* the answer of another device (gateway/audit.h) */
    bool relink; /* its link is to be closed when its generations are over: something that it joins with has changed */
    struct gateway_provider *next, *prev;
    struct provider_scorer *scorings; /* where it is in providers->scorers; owned, as many as scoring_count */
    size_t scoring_count;
    UT_hash_handle by_handle, by_id; /* once admitted */
};

struct audit_captures;
struct grammar_watch;

struct gateway_provider;

/* Who gives devices answers to score (gateway/audit.h). */
struct provider_scoring {
    void (*on_scored)(void *context, uint64_t provider, uint64_t job, const struct gen_score *score);
    /* False: the job is none of these. */
    bool (*on_error)(void *context, uint64_t provider, const struct link_error *error);
    void (*on_joined)(void *context, struct gateway_provider *provider);
    void (*on_told)(void *context, struct gateway_provider *provider); /* of its files */
    void (*on_left)(void *context, struct gateway_provider *provider, uint64_t handle);
};

struct providers {
    struct core_loop *core; /* borrowed, like the next three */
    struct store *store;
    struct stories *stories;
    struct network_counts *counts;
    /* Some model became available or stopped being so. May be NULL. */
    void (*on_models_changed)(void *context);
    void *context;
    struct gateway_provider *list;          /* every one, also while enrolling */
    struct provider_scorers *scorers;       /* uthash: the trusted ones of the list, by the files that they have */
    char owner_id[STORE_ID_MAX];            /* the operator's own account; empty: not known */
    struct audit_captures *captures;        /* borrowed; told what devices say, as is ... */
    struct grammar_watch *grammar_watch;    /* ... this */
    const struct provider_scoring *scoring; /* NULL: nobody */
    void *scoring_context;
    const struct link_done *done;       /* what a device has just said, while the core is told; NULL: nothing */
    struct gateway_provider *by_handle; /* uthash */
    struct gateway_provider *by_id;     /* uthash */
    struct loop_timer *records_timer;   /* owned */
    /* Of the join token of the device that is started with this gateway, so that it is known when it comes. */
    bool has_local;
    bool all_trusted; /* every device is the operator's own */
    uint8_t local_sha256[DIGEST_SHA256_SIZE];
};

/* Keeps the records of the devices from now on, every minute and when one leaves. */
void providers_init(struct providers *providers, struct core_loop *core, struct store *store, struct stories *stories,
                    struct network_counts *counts);
/* Whoever comes with this join token is the operator's own device, and is trusted for as long as its link lasts. */
void providers_set_local(struct providers *providers, struct str join_token);
/* Every link is gone. Also of zeros. */
void providers_clear(struct providers *providers);

extern const char PROVIDERS_RELINK_REASON[]; /* why a link closes that the device is to open again */

/* What the link server tells; the context is the struct providers. */
extern const struct link_server_events PROVIDERS_LINK_EVENTS;

/* NULL: not connected. */
struct gateway_provider *providers_find(const struct providers *providers, uint64_t handle);
struct gateway_provider *providers_by_id(const struct providers *providers, const char *device_id);
size_t providers_connected(const struct providers *providers);
/* The first of the list goes to its end: for those who take one after the other. NULL: the list is empty. */
struct gateway_provider *providers_rotate(struct providers *providers);
/* The device is in review, or is not any more (store/devices.h). */
void providers_reviewed(struct providers *providers, const struct store_device *device);
/* The device has that mark from its next link on: that comes at once when it has no generations, else after them. */
void providers_verified(struct providers *providers, const struct store_device *device);
/* The device stands otherwise now: in quarantine or released, or it is removed, and then its link closes. */
void providers_stands(struct providers *providers, const struct store_device *device);
/* The account was suspended: the links of its devices close, and their generations go elsewhere. */
void providers_suspended(struct providers *providers, const char *account_id);
/* Writes the records that have changed; the context is the struct providers. */
void providers_records_due(void *context);

/* Effects of the core. */
void providers_admitted(struct gateway_provider *provider, uint64_t handle);
void providers_refused(struct gateway_provider *provider);

#endif
