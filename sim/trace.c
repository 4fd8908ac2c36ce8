/* Events and effects as lines, for a seed that is run alone. */
#include "sim/world.h"

#include <inttypes.h>
#include <stdio.h>

static const char *event_name(enum core_event_kind kind) {
    static const char *const names[] = {
        [CORE_EVENT_REQUEST] = "request",
        [CORE_EVENT_CLIENT_GONE] = "client gone",
        [CORE_EVENT_ABORT] = "abort",
        [CORE_EVENT_PROVIDER_JOINED] = "joined",
        [CORE_EVENT_PROVIDER_STATUS] = "status",
        [CORE_EVENT_PROVIDER_DRAINING] = "device draining",
        [CORE_EVENT_PROVIDER_LEFT] = "left",
        [CORE_EVENT_PROVIDER_SILENT] = "silent",
        [CORE_EVENT_PROVIDER_ALIVE] = "alive",
        [CORE_EVENT_PROVIDER_QUARANTINED] = "device quarantined",
        [CORE_EVENT_PROVIDER_RELEASED] = "device released",
        [CORE_EVENT_REVIEW] = "review",
        [CORE_EVENT_AUDITED] = "audited",
        [CORE_EVENT_MODEL] = "model",
        [CORE_EVENT_ACCEPT] = "accept",
        [CORE_EVENT_PROGRESS] = "progress",
        [CORE_EVENT_DELTA] = "delta",
        [CORE_EVENT_DONE] = "done",
        [CORE_EVENT_ERROR] = "error",
        [CORE_EVENT_TIMER] = "timer",
        [CORE_EVENT_DRAIN] = "drain",
        [CORE_EVENT_ACCOUNT] = "account",
        [CORE_EVENT_CREDIT] = "credit",
        [CORE_EVENT_ESCROW] = "escrow",
        [CORE_EVENT_KEY] = "key",
        [CORE_EVENT_COUNTED] = "counted",
        [CORE_EVENT_COMMITTED] = "committed",
    };
    return names[kind];
}

static const char *effect_name(enum core_effect_kind kind) {
    static const char *const names[] = {
        [CORE_EFFECT_ADMITTED] = "admitted",
        [CORE_EFFECT_DISPATCH] = "dispatch",
        [CORE_EFFECT_CANCEL] = "cancel",
        [CORE_EFFECT_ACCEPTED] = "accepted",
        [CORE_EFFECT_DELIVER] = "deliver",
        [CORE_EFFECT_COUNT] = "count",
        [CORE_EFFECT_SETTLE] = "settle",
        [CORE_EFFECT_FINISH] = "finish",
        [CORE_EFFECT_FAIL] = "fail",
        [CORE_EFFECT_CANCELLED] = "cancelled",
        [CORE_EFFECT_PROVIDER_ADMITTED] = "provider admitted",
        [CORE_EFFECT_PROVIDER_REFUSED] = "provider refused",
        [CORE_EFFECT_PROVIDER_BUSY] = "provider busy",
        [CORE_EFFECT_PROVIDER_IDLE] = "provider idle",
        [CORE_EFFECT_WANT] = "want",
        [CORE_EFFECT_REVIEW] = "review",
        [CORE_EFFECT_WAKE] = "wake",
        [CORE_EFFECT_TRACE] = "move",
    };
    return names[kind];
}

static void trace_request(const struct core_event *event) {
    printf(" user %" PRIu64 " account %" PRIu64 " key %" PRIu64 " prompt %u or %u x %" PRId64
           " completion %u x %" PRId64,
           event->request.user, event->request.account, event->request.key, event->request.prompt_tokens_max,
           event->request.prompt_tokens_enough, event->request.prompt_price_nano, event->request.max_tokens,
           event->request.completion_price_nano);
}

void trace_event(const struct world *world, const struct core_event *event) {
    printf("step %u, %" PRIu64 " ms: %s", world->step, world->now_ms, event_name(event->kind));
    if (event->generation != CORE_NO_HANDLE) {
        printf(" job %" PRIu64, event->generation);
    }
    if (event->provider != CORE_NO_HANDLE) {
        printf(" provider %" PRIu64, event->provider);
    }
    if (event->kind == CORE_EVENT_REQUEST) {
        trace_request(event);
    } else if (event->kind == CORE_EVENT_CREDIT) {
        printf(" account %" PRIu64 " amount %" PRId64, event->credit.account, event->credit.amount_nano);
    } else if (event->kind == CORE_EVENT_ACCOUNT) {
        printf(" %" PRIu64 " rate %u concurrent %u%s", event->account.account, event->account.requests_per_minute,
               event->account.concurrent, event->account.suspended ? " suspended" : "");
    } else if (event->kind == CORE_EVENT_KEY) {
        printf(" %" PRIu64 " cap %" PRId64 " spent %" PRId64, event->key.key, event->key.cap_nano,
               event->key.spent_nano);
    } else if (event->kind == CORE_EVENT_ACCEPT) {
        printf(" prompt %u", event->accept.prompt_tokens);
    } else if (event->kind == CORE_EVENT_PROGRESS) {
        printf(" done %u", event->progress.done_tokens);
    } else if (event->kind == CORE_EVENT_DELTA) {
        printf(" tokens %u", event->delta.tokens);
    } else if (event->kind == CORE_EVENT_DONE) {
        printf(" finish %d prompt %u completion %u", (int)event->done.finish, event->done.prompt_tokens,
               event->done.completion_tokens);
    } else if (event->kind == CORE_EVENT_ERROR) {
        printf(" failure %d", (int)event->error.failure);
    } else if (event->kind == CORE_EVENT_COMMITTED) {
        printf(" %s", event->committed.durable ? "durable" : "lost");
    }
    printf("\n");
}

void trace_effect(const struct core_effect *effect) {
    printf("    %s", effect_name(effect->kind));
    if (effect->kind == CORE_EFFECT_WAKE) {
        printf(" at %" PRIu64 "\n", effect->wake_at_ms);
        return;
    }
    printf(" user %" PRIu64 " job %" PRIu64 " provider %" PRIu64, effect->user, effect->generation, effect->provider);
    if (effect->kind == CORE_EFFECT_SETTLE || effect->kind == CORE_EFFECT_FINISH ||
        effect->kind == CORE_EFFECT_CANCELLED) {
        printf(" prompt %u completion %u charge %" PRId64 " = %" PRId64 " + %" PRId64 "%s",
               effect->finish.prompt_tokens, effect->finish.completion_tokens, effect->finish.charge_nano,
               effect->finish.provider_nano, effect->finish.network_nano, effect->finish.cancelled ? " gone" : "");
    } else if (effect->kind == CORE_EFFECT_FAIL) {
        printf(" failure %d retry after %" PRIu64 " ms", (int)effect->fail.failure, effect->fail.retry_after_ms);
    } else if (effect->kind == CORE_EFFECT_TRACE) {
        printf(" %s -> %s (%s)", effect->trace.from, effect->trace.to, effect->trace.why);
    }
    printf("\n");
}
