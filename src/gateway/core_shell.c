#include "gateway/core_shell.h"

#include "base/clock.h"
#include "base/log.h"
#include "gateway/attempts.h"
#include "gateway/escrow.h"
#include "gateway/provider_commands.h"
#include "store/devices.h"

static struct generation *generation_of(const struct core_effect *effect) {
    return (struct generation *)(uintptr_t)effect->user;
}

static struct gateway_provider *provider_of(const struct core_effect *effect) {
    return (struct gateway_provider *)(uintptr_t)effect->user;
}

/* For the operator's list. The generation is the one that showed it; a device may be at fault without one. */
static void review(struct core_shell *shell, const struct core_effect *effect) {
    const struct generation *generation = effect->generation != CORE_NO_HANDLE
                                              ? (const struct generation *)(uintptr_t)effect->review.generation_user
                                              : NULL;
    struct store_review line = {.created_ms = clock_wall_ms()};
    (void)str_copy(line.device_id, sizeof(line.device_id), str_from(provider_of(effect)->device.id));
    (void)str_copy(line.reason, sizeof(line.reason), str_from(core_review_name(effect->review.review)));
    if (generation != NULL) {
        (void)str_copy(line.generation_id, sizeof(line.generation_id), str_from(generation->record.id));
    }
    LOG_WARN_EVENT("provider.review", LOG_TEXT("provider_id", line.device_id), LOG_TEXT("reason", line.reason),
                   LOG_TEXT("job_id", line.generation_id));
    shell->counts.reviews++;
    line.whole_device = core_review_is_of_device(effect->review.review);
    store_review_add(shell->store, &line);
    if (line.whole_device) {
        provider_of(effect)->device.in_review = true;
        escrow_take(&shell->core, shell->store, line.device_id, NULL, NULL);
    }
}

static void carry_out(void *context, const struct core_effect *effect, const struct core_candidate *candidates) {
    struct core_shell *shell = context;
    switch (effect->kind) {
    case CORE_EFFECT_ADMITTED:
        generation_admitted(generation_of(effect), effect->generation);
        break;
    case CORE_EFFECT_DISPATCH:
        generation_placed(generation_of(effect), effect, candidates);
        attempts_dispatch(generation_of(effect), effect);
        break;
    case CORE_EFFECT_CANCEL:
        provider_commands_cancel(&shell->providers, effect->provider, effect->generation);
        break;
    case CORE_EFFECT_ACCEPTED:
        generation_accepted(generation_of(effect));
        break;
    case CORE_EFFECT_DELIVER:
        generation_deliver(generation_of(effect), effect);
        break;
    case CORE_EFFECT_COUNT:
        attempts_count(generation_of(effect), effect);
        break;
    case CORE_EFFECT_SETTLE:
        attempts_settle(generation_of(effect), effect);
        break;
    case CORE_EFFECT_FINISH:
        generation_finish(generation_of(effect));
        break;
    case CORE_EFFECT_FAIL:
        generation_fail(generation_of(effect), effect);
        break;
    case CORE_EFFECT_CANCELLED:
        generation_cancelled(generation_of(effect));
        break;
    case CORE_EFFECT_PROVIDER_ADMITTED:
        providers_admitted(provider_of(effect), effect->provider);
        break;
    case CORE_EFFECT_PROVIDER_REFUSED:
        providers_refused(provider_of(effect));
        break;
    case CORE_EFFECT_PROVIDER_BUSY:
    case CORE_EFFECT_PROVIDER_IDLE:
        provider_commands_watch(&shell->providers, effect->provider, effect->kind == CORE_EFFECT_PROVIDER_BUSY);
        break;
    case CORE_EFFECT_WANT:
        provider_commands_want(&shell->providers, effect->provider, effect->want.model);
        break;
    case CORE_EFFECT_REVIEW:
        review(shell, effect);
        break;
    case CORE_EFFECT_TRACE:
        generation_trace(generation_of(effect), effect);
        break;
    case CORE_EFFECT_WAKE: /* core_loop.c arms the timer */
        break;
    }
}

void core_shell_init(struct core_shell *shell, struct loop *loop, struct store *store,
                     const struct core_config *config) {
    shell->store = store;
    shell->stories = stories_new();
    shell->counts = (struct network_counts){0};
    core_loop_init(&shell->core, loop, config, carry_out, shell);
    providers_init(&shell->providers, &shell->core, store, shell->stories, &shell->counts);
    shell->audit_book = (struct audit_book){0};
    shell->captures = (struct audit_captures){0};
    shell->providers.captures = &shell->captures;
    shell->grammar_watch = (struct grammar_watch){0};
    shell->providers.grammar_watch = &shell->grammar_watch;
    generations_init(&shell->generations, &shell->core, store, shell->stories, &shell->counts, &shell->providers);
    shell->generations.audit_book = &shell->audit_book;
    shell->generations.captures = &shell->captures;
    shell->generations.grammar_watch = &shell->grammar_watch;
}

void core_shell_clear(struct core_shell *shell) {
    generations_clear(&shell->generations);
    providers_clear(&shell->providers);
    audit_captures_clear(&shell->captures);
    grammar_watch_clear(&shell->grammar_watch);
    audit_book_close(&shell->audit_book);
    core_loop_clear(&shell->core);
    stories_free(shell->stories);
    shell->stories = NULL;
}
