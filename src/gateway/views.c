#include "gateway/views.h"

#include "core/explain.h"
#include "gateway/disk_floor.h"
#include "gateway/operator/device_view.h"
#include "gateway/operator/explain.h"
#include "gateway/provider_trust.h"
#include "gateway/records.h"

#include <string.h>

static enum core_availability availability(void *context, struct str model, uint32_t *context_length) {
    const struct core_shell *shell = context;
    return core_model_availability(shell->core.core, model, context_length);
}

static uint64_t ready_in_ms(void *context, struct str model, uint32_t *percent) {
    const struct core_shell *shell = context;
    return core_model_ready_in_ms(shell->core.core, model, percent);
}

static bool model_at(void *context, size_t index, struct str *model) {
    const struct core_shell *shell = context;
    return core_model_at(shell->core.core, index, model, NULL, NULL);
}

static bool account_view(void *context, const struct auth_identity *identity, struct core_account_view *view) {
    const struct core_shell *shell = context;
    return core_account_view(shell->core.core, identity->account_number, core_loop_now_ms(&shell->core), view);
}

static bool disk_low(void *context) {
    const struct core_shell *shell = context;
    return shell->disk != NULL && shell->disk->low;
}

struct call_backend views_call_backend(struct core_shell *shell, const struct executor *sandbox,
                                       const struct call_counter *counter) {
    return (struct call_backend){.context = shell,
                                 .devices = &shell->generations.executor,
                                 .sandbox = sandbox,
                                 .availability = availability,
                                 .ready_in_ms = ready_in_ms,
                                 .model_at = model_at,
                                 .account_view = account_view,
                                 .counter = *counter,
                                 .disk_low = disk_low};
}

bool views_ready(const struct core_shell *shell) {
    struct str model;
    enum core_availability state;
    for (size_t i = 0; core_model_at(shell->core.core, i, &model, &state, NULL); i++) {
        if (state == CORE_MODEL_AVAILABLE) {
            return true;
        }
    }
    return false;
}

static bool evades(const struct core_shell *shell, const struct gateway_provider *provider) {
    struct core_offer_view offer;
    bool found = false;
    for (size_t i = 0; !found && core_provider_offer(shell->core.core, provider->handle, i, &offer); i++) {
        found = provider_trust_judged(provider, offer.offer.model) == PROVIDER_JUDGED_EVADED;
    }
    return found;
}

void views_write_device(const struct core_shell *shell, const struct store_device *device, struct json_writer *writer) {
    const struct gateway_provider *provider = providers_by_id(&shell->providers, device->id);
    struct device_view view = {.core = shell->core.core,
                               .handle = CORE_NO_HANDLE,
                               .now_ms = core_loop_now_ms(&shell->core),
                               .last_seen_ms = device->record.kept_ms,
                               .kept = record_from_store(&device->record),
                               .device = device};
    if (provider != NULL) {
        view.handle = provider->handle;
        view.joined_ms = provider->joined_ms;
        view.pause = provider->pause;
        view.evades = evades(shell, provider);
    }
    device_view_write(&view, writer);
    audit_book_write(&shell->audit_book, device->id, writer);
}

static const struct store_device *find_device(void *context, uint64_t handle) {
    const struct core_shell *shell = context;
    const struct gateway_provider *provider = providers_find(&shell->providers, handle);
    return provider != NULL ? &provider->device : NULL;
}

bool views_write_story(struct core_shell *shell, const char *id, struct json_writer *writer) {
    const struct explain explain = {
        .core = shell->core.core, .stories = shell->stories, .find_device = find_device, .context = shell};
    const struct generation *generation = generations_find(&shell->generations, id);
    const struct story *story = generation != NULL ? generation->story : stories_find(shell->stories, id);
    if (story != NULL) {
        explain_write(&explain, story, generation != NULL ? generation->handle : CORE_NO_HANDLE, writer);
    }
    return story != NULL;
}

void views_write_review(const struct core_shell *shell, const struct store_review *review, struct json_writer *writer) {
    if (strcmp(review->reason, core_review_name(CORE_REVIEW_AUDIT)) == 0) {
        audit_book_write_finding(&shell->audit_book, review->device_id, writer);
    } else {
        json_member_cstr(writer, "audit", NULL);
    }
}
