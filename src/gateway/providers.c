#include "gateway/providers.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/explain.h"
#include "gateway/audit_capture.h"
#include "gateway/grammar_watch.h"
#include "gateway/records.h"
#include "gateway/words.h"
#include "link/peer.h"
#include "store/admin.h"
#include "store/enrolment.h"
#include "wire/id.h"
#include "wire/join_token.h"
#include "wire/limits.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

enum { RECORDS_MS = 60 * 1000, ID_RANDOM = 20 };
const char PROVIDERS_RELINK_REASON[] = "the operator has changed what this device may do";

static struct gateway_provider *provider_of(struct link_peer *peer) {
    return link_peer_user(peer);
}

struct gateway_provider *providers_find(const struct providers *providers, uint64_t handle) {
    struct gateway_provider *provider = NULL;
    HASH_FIND(by_handle, providers->by_handle, &handle, sizeof(handle), provider);
    return provider;
}

struct gateway_provider *providers_by_id(const struct providers *providers, const char *device_id) {
    struct gateway_provider *provider = NULL;
    HASH_FIND(by_id, providers->by_id, device_id, strlen(device_id), provider);
    return provider;
}

size_t providers_connected(const struct providers *providers) {
    return HASH_CNT(by_handle, providers->by_handle);
}

struct gateway_provider *providers_rotate(struct providers *providers) {
    struct gateway_provider *provider = providers->list;
    if (provider != NULL) {
        DL_DELETE(providers->list, provider);
        DL_APPEND(providers->list, provider);
    }
    return provider;
}

/* Of the context of a link event. */
static struct core_loop *core_of(void *context) {
    return ((struct providers *)context)->core;
}

static void provider_free(struct gateway_provider *provider) {
    DL_DELETE(provider->providers->list, provider);
    provider_files_clear(&provider->files);
    free(provider);
}

static void log_denied(const struct gateway_provider *provider, const char *reason) {
    LOG_WARN_EVENT("provider.denied", LOG_TEXT("address", link_peer_address(provider->peer)),
                   LOG_TEXT("reason", reason));
}

/* For good: the device does not come back by itself. */
static void provider_deny(struct gateway_provider *provider, const char *reason) {
    log_denied(provider, reason);
    link_peer_deny(provider->peer, reason);
}

/* For now: the device tries again with back-off. */
static void provider_turn_away(struct gateway_provider *provider, const char *reason) {
    log_denied(provider, reason);
    link_peer_close(provider->peer, reason);
}

static void models_changed(const struct providers *providers) {
    if (providers->on_models_changed != NULL) {
        providers->on_models_changed(providers->context);
    }
}

/* After the core was told that it left; `handle` is what it had there. */
static void keep_left(struct gateway_provider *provider, uint64_t handle) {
    struct core_record record;
    if (core_provider_left(provider->providers->core->core, handle, &record)) {
        record_keep(provider->providers->store, &provider->device, &record);
    }
}

/* The core forgets the provider at once, even if its link takes a moment to close. */
static void provider_leave(struct gateway_provider *provider) {
    struct providers *providers = provider->providers;
    const uint64_t handle = provider->handle;
    if (handle == CORE_NO_HANDLE) {
        return;
    }
    stories_device_gone(providers->stories, handle, &provider->device);
    HASH_DELETE(by_handle, providers->by_handle, provider);
    HASH_DELETE(by_id, providers->by_id, provider);
    provider->handle = CORE_NO_HANDLE;
    if (providers->scoring != NULL) {
        providers->scoring->on_left(providers->scoring_context, provider, handle);
    }
    core_loop_step(providers->core, &(struct core_event){.kind = CORE_EVENT_PROVIDER_LEFT, .provider = handle});
    keep_left(provider, handle);
    models_changed(providers);
}

static bool same_key(const struct gateway_provider *a, const struct gateway_provider *b) {
    return memcmp(a->device.public_key, b->device.public_key, sizeof(a->device.public_key)) == 0;
}

/* A device has one link: a new one replaces an older one that the network has not reported as broken yet. */
static void close_older_link(struct gateway_provider *newer) {
    struct gateway_provider *older = providers_by_id(newer->providers, newer->device.id);
    if (older != NULL) {
        if (older->peer != NULL && !same_key(older, newer)) {
            provider_deny(older, "the key of this device was replaced by another one, and is refused for good");
        } else if (older->peer != NULL) {
            link_peer_close(older->peer, "replaced by a newer link of this device");
        }
        provider_leave(older);
        newer->device.record = older->device.record; /* the store was asked before */
    }
}

void providers_verified(struct providers *providers, const struct store_device *device) {
    struct gateway_provider *provider = providers_by_id(providers, device->id);
    struct core_provider_view view;
    if (provider == NULL || provider->peer == NULL || provider->device.verified == device->verified) {
        return;
    }
    if (core_provider_view(providers->core->core, provider->handle, core_loop_now_ms(providers->core), &view) &&
        view.active > 0) {
        provider->relink = true;
    } else {
        link_peer_close(provider->peer, PROVIDERS_RELINK_REASON);
    }
}

/* Its link closes for good, and what it was doing goes elsewhere at once. */
static void provider_throw_out(struct gateway_provider *provider, const char *reason) {
    if (provider->peer != NULL) {
        provider_deny(provider, reason);
    }
    provider_leave(provider);
}

void providers_stands(struct providers *providers, const struct store_device *device) {
    struct gateway_provider *provider = providers_by_id(providers, device->id);
    if (provider == NULL) {
        return;
    }
    const bool quarantined = device->standing == STORE_STANDING_QUARANTINED;
    provider->device.standing = device->standing;
    provider->device.standing_ms = device->standing_ms;
    memcpy(provider->device.standing_reason, device->standing_reason, sizeof(device->standing_reason));
    if (device->standing == STORE_STANDING_REMOVED) {
        provider_throw_out(provider, "this device was removed from the network: its key is refused for good");
        return;
    }
    core_loop_step(providers->core, &(struct core_event){.kind = quarantined ? CORE_EVENT_PROVIDER_QUARANTINED
                                                                             : CORE_EVENT_PROVIDER_RELEASED,
                                                         .provider = provider->handle});
    models_changed(providers);
}

static bool serves_for(const struct gateway_provider *provider, const char *account_id) {
    return provider->handle != CORE_NO_HANDLE && strcmp(provider->device.account_id, account_id) == 0;
}

/* First none of them takes anything new: what one was doing must not go to the next of the same account. */
void providers_suspended(struct providers *providers, const char *account_id) {
    struct gateway_provider *provider;
    DL_FOREACH (providers->list, provider) {
        if (serves_for(provider, account_id)) {
            core_loop_step(providers->core,
                           &(struct core_event){.kind = CORE_EVENT_PROVIDER_DRAINING, .provider = provider->handle});
        }
    }
    DL_FOREACH (providers->list, provider) {
        if (serves_for(provider, account_id)) {
            provider_throw_out(provider, "the account of this device is suspended");
        }
    }
}

void providers_reviewed(struct providers *providers, const struct store_device *device) {
    struct gateway_provider *provider = providers_by_id(providers, device->id);
    if (provider != NULL) {
        const struct core_event event = {
            .kind = CORE_EVENT_ESCROW, .provider = provider->handle, .escrow = {.on = device->in_review}};
        provider->device.in_review = device->in_review;
        core_loop_step(providers->core, &event);
    }
}

static void tell_joined(struct gateway_provider *provider) {
    struct core_event event = {
        .kind = CORE_EVENT_PROVIDER_JOINED,
        .joined = {.user = (uint64_t)(uintptr_t)provider,
                   .owner = provider->device.account_number,
                   .ram_bytes = provider->ram_bytes,
                   .verified = provider->device.verified,
                   .trusted = provider->local || provider->providers->all_trusted,
                   .quarantined = provider->device.standing == STORE_STANDING_QUARANTINED,
                   .escrow = provider->device.in_review,
                   .operated = strcmp(provider->device.account_id, provider->providers->owner_id) == 0,
                   .record = record_from_store(&provider->device.record)},
    };
    const int64_t kept_ms = provider->device.record.kept_ms, now_ms = clock_wall_ms();
    event.joined.away_ms = kept_ms != 0 && now_ms > kept_ms ? (uint64_t)(now_ms - kept_ms) : 0;
    words_region(event.joined.region, provider->device.region);
    core_loop_step(provider->providers->core, &event);
}

static void on_enrolled(void *context, const struct store_device *device, const struct err *err) {
    struct gateway_provider *provider = context;
    provider->enrolling = false;
    if (provider->peer == NULL) { /* the link closed while the store was asked */
        provider_free(provider);
        return;
    }
    if (device == NULL && err->code == ERR_DENIED) {
        provider_deny(provider, err->message);
        return;
    }
    if (device == NULL) {
        LOG_ERROR_EVENT("provider.enrol_failed", LOG_TEXT("error", err->message));
        provider_turn_away(provider, "the gateway cannot enrol devices at the moment");
        return;
    }
    provider->device = *device;
    close_older_link(provider);
    tell_joined(provider);
}

void providers_admitted(struct gateway_provider *provider, uint64_t handle) {
    struct providers *providers = provider->providers;
    provider->handle = handle;
    provider->joined_ms = clock_wall_ms();
    HASH_ADD(by_handle, providers->by_handle, handle, sizeof(handle), provider);
    HASH_ADD_KEYPTR(by_id, providers->by_id, provider->device.id, strlen(provider->device.id), provider);
    if (providers->scoring != NULL) {
        providers->scoring->on_joined(providers->scoring_context, provider);
    }
    link_peer_admit(provider->peer, provider->device.id);
    LOG_INFO_EVENT("provider.joined", LOG_TEXT("provider_id", provider->device.id),
                   LOG_TEXT("name", provider->device.name), LOG_TEXT("address", link_peer_address(provider->peer)),
                   LOG_TEXT("account_id", provider->device.account_id));
}

void providers_refused(struct gateway_provider *provider) {
    provider_turn_away(provider, "the gateway has as many providers as it can hold");
}

void providers_records_due(void *context) {
    struct providers *providers = context;
    struct gateway_provider *provider;
    DL_FOREACH (providers->list, provider) {
        struct core_provider_view view;
        if (core_provider_view(providers->core->core, provider->handle, core_loop_now_ms(providers->core), &view) &&
            record_has_changed(&provider->device.record, &view.record)) {
            record_keep(providers->store, &provider->device, &view.record);
        }
    }
}

/* By its hash, so that the time which comparing takes tells nothing of the token. */
static bool is_local(const struct providers *providers, struct str join_token) {
    uint8_t sha256[DIGEST_SHA256_SIZE];
    if (!providers->has_local || !join_token_check(join_token)) {
        return false;
    }
    join_token_hash(join_token, sha256);
    return memcmp(sha256, providers->local_sha256, sizeof(sha256)) == 0;
}

static void on_hello(void *context, struct link_peer *peer, const struct link_hello *hello) {
    struct providers *providers = context;
    struct gateway_provider *provider = MEM_NEW(struct gateway_provider);
    struct store_device *device = &provider->device;
    provider->providers = providers;
    provider->peer = peer;
    provider->enrolling = true;
    id_make_random("prov_", ID_RANDOM, device->id);
    memcpy(device->public_key, hello->public_key, sizeof(device->public_key));
    (void)str_copy(device->name, sizeof(device->name), hello->device.name);
    (void)str_copy(device->region, sizeof(device->region), hello->device.region);
    device->created_ms = clock_wall_ms();
    provider->ram_bytes = hello->device.ram_bytes;
    provider->local = is_local(providers, hello->join_token);
    DL_APPEND(providers->list, provider);
    link_peer_set_user(peer, provider);
    store_device_enrol(providers->store, hello->public_key, hello->join_token, device, on_enrolled, provider);
}

static void on_status(void *context, struct link_peer *peer, const struct link_status *status) {
    struct providers *providers = context;
    struct core_offer offers[LIMIT_LINK_MODELS];
    provider_of(peer)->pause = status->pause;
    provider_files_set(&provider_of(peer)->files, status->models, status->model_count);
    if (providers->scoring != NULL) {
        providers->scoring->on_told(providers->scoring_context, provider_of(peer));
    }
    size_t count = 0;
    for (size_t i = 0; i < status->model_count && count < COUNT_OF(offers); i++) {
        offers[count] = words_offer(&status->models[i]);
        count += words_generates(&status->models[i]);
    }
    core_loop_step(providers->core,
                   &(struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                        .provider = provider_of(peer)->handle,
                                        .status = {.offers = offers,
                                                   .offer_count = count,
                                                   .device = {.heat = words_heat(status->heat),
                                                              .battery_percent = status->battery_percent,
                                                              .charging = status->charging,
                                                              .paused = status->pause != LINK_PAUSE_NONE,
                                                              .takes_wants = status->takes_wants,
                                                              .storage_free_bytes = status->storage_free_bytes}}});
    models_changed(providers);
}

/* What a device says; of a job, or of itself (0). */
static void tell(void *context, struct link_peer *peer, uint64_t job, struct core_event event) {
    event.provider = provider_of(peer)->handle;
    event.generation = job;
    core_loop_step(core_of(context), &event);
}

static void on_accept(void *context, struct link_peer *peer, const struct link_accept *accept) {
    tell(context, peer, accept->job,
         (struct core_event){.kind = CORE_EVENT_ACCEPT, .accept = {.prompt_tokens = accept->prompt_tokens}});
}

static void on_progress(void *context, struct link_peer *peer, const struct link_progress *progress) {
    tell(context, peer, progress->job,
         (struct core_event){.kind = CORE_EVENT_PROGRESS, .progress = {.done_tokens = progress->done_tokens}});
}

/* It has broken its grammar: it is told to stop, and has failed. */
static void break_off(void *context, struct link_peer *peer, uint64_t job) {
    LOG_WARN_EVENT("provider.grammar_broken", LOG_TEXT("provider_id", provider_of(peer)->device.id));
    link_peer_send_cancel(peer, job);
    tell(context, peer, job, (struct core_event){.kind = CORE_EVENT_ERROR, .error = {.failure = CORE_ATTEMPT_ENGINE}});
}

static void on_delta(void *context, struct link_peer *peer, const struct link_delta *delta) {
    const struct providers *providers = context;
    const struct core_event event = words_delta(delta, provider_of(peer)->handle);
    if (!grammar_watch_delta(providers->grammar_watch, event.provider, delta)) {
        break_off(context, peer, delta->job);
        return;
    }
    audit_captures_delta(providers->captures, event.provider, delta);
    core_loop_step(providers->core, &event);
}

static void on_done(void *context, struct link_peer *peer, const struct link_done *message) {
    struct providers *providers = context;
    const struct gen_usage *usage = &message->usage;
    if (!grammar_watch_done(providers->grammar_watch, provider_of(peer)->handle, message->job, message->finish)) {
        break_off(context, peer, message->job);
        return;
    }
    audit_captures_done(providers->captures, provider_of(peer)->handle, message->job, message->finish,
                        core_loop_now_ms(providers->core));
    providers->done = message;
    tell(context, peer, message->job,
         (struct core_event){.kind = CORE_EVENT_DONE,
                             .done = {.finish = words_finish(message->finish),
                                      .prompt_tokens = usage->prompt_tokens,
                                      .completion_tokens = usage->completion_tokens,
                                      .cached_tokens = usage->cached_tokens}});
    providers->done = NULL;
}

static void on_scored(void *context, struct link_peer *peer, const struct link_scored *scored) {
    const struct providers *providers = context;
    if (providers->scoring != NULL) {
        providers->scoring->on_scored(providers->scoring_context, provider_of(peer)->handle, scored->job,
                                      &scored->score);
    }
}

static void on_error(void *context, struct link_peer *peer, const struct link_error *error) {
    const struct providers *providers = context;
    if (providers->scoring != NULL &&
        providers->scoring->on_error(providers->scoring_context, provider_of(peer)->handle, error)) {
        return;
    }
    tell(context, peer, error->job,
         (struct core_event){.kind = CORE_EVENT_ERROR,
                             .error = {.failure = words_failure(error->failure),
                                       .param = error->param,
                                       .by_gateway = error->by_gateway}});
}

static void on_drain(void *context, struct link_peer *peer) {
    tell(context, peer, 0, (struct core_event){.kind = CORE_EVENT_PROVIDER_DRAINING});
}

static void on_left(void *context, const struct store_admin *result, const struct err *err) {
    if (err == NULL) {
        providers_stands(context, &result->device);
    } else {
        LOG_WARN_EVENT("provider.leave_failed", LOG_TEXT("error", err->message));
    }
}

/* Its own key says it, so nobody else has to: it is removed like a device that the operator removes. */
static void on_leave(void *context, struct link_peer *peer) {
    struct providers *providers = context;
    struct store_admin action = {
        .kind = STORE_ADMIN_DEVICE_REMOVE, .actor = "owner", .now_ms = clock_wall_ms(), .note = "it left the network"};
    (void)str_copy(action.device.id, sizeof(action.device.id), str_from(provider_of(peer)->device.id));
    store_admin(providers->store, &action, on_left, providers);
}

static void on_silent(void *context, struct link_peer *peer) {
    const struct providers *providers = context;
    providers->counts->silences++;
    LOG_WARN_EVENT("provider.silent", LOG_TEXT("provider_id", provider_of(peer)->device.id));
    tell(context, peer, 0, (struct core_event){.kind = CORE_EVENT_PROVIDER_SILENT});
}

static void on_alive(void *context, struct link_peer *peer) {
    LOG_INFO_EVENT("provider.alive", LOG_TEXT("provider_id", provider_of(peer)->device.id));
    tell(context, peer, 0, (struct core_event){.kind = CORE_EVENT_PROVIDER_ALIVE});
}

static void on_gone(void *context, struct link_peer *peer, const char *reason) {
    (void)context;
    struct gateway_provider *provider = provider_of(peer);
    LOG_INFO_EVENT("provider.gone", LOG_TEXT("provider_id", provider->device.id), LOG_TEXT("reason", reason));
    provider->peer = NULL;
    if (provider->enrolling) {
        return; /* on_enrolled frees it */
    }
    provider_leave(provider);
    provider_free(provider);
}

const struct link_server_events PROVIDERS_LINK_EVENTS = {
    .on_hello = on_hello,
    .on_status = on_status,
    .on_accept = on_accept,
    .on_progress = on_progress,
    .on_delta = on_delta,
    .on_done = on_done,
    .on_scored = on_scored,
    .on_error = on_error,
    .on_drain = on_drain,
    .on_leave = on_leave,
    .on_silent = on_silent,
    .on_alive = on_alive,
    .on_gone = on_gone,
};

void providers_init(struct providers *providers, struct core_loop *core, struct store *store, struct stories *stories,
                    struct network_counts *counts) {
    *providers = (struct providers){.core = core, .store = store, .stories = stories, .counts = counts};
    providers->records_timer = loop_timer_new(core->loop, providers_records_due, providers);
    loop_timer_start(providers->records_timer, RECORDS_MS, RECORDS_MS);
}

void providers_set_local(struct providers *providers, struct str join_token) {
    providers->has_local = join_token_check(join_token);
    join_token_hash(join_token, providers->local_sha256);
}

void providers_clear(struct providers *providers) {
    assert(providers->list == NULL);
    loop_timer_free(providers->records_timer);
    *providers = (struct providers){0};
}
