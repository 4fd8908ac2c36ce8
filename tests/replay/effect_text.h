/* Effects as the words of a scenario's ">" lines. */
#ifndef NATARIS_TESTS_REPLAY_EFFECT_TEXT_H
#define NATARIS_TESTS_REPLAY_EFFECT_TEXT_H

#include "base/str.h"
#include "core/core.h"

#include <stdio.h>

enum { NAMES_MAX = 64 };

struct names { /* of generations or of providers: their place is the shell's own id */
    struct {
        char name[32];
        uint64_t handle;
    } items[NAMES_MAX];
    size_t count;
};

static const char *const failure_names[] = {"queue_full",  "warming",  "timeout",  "bad_request", "context_length",
                                            "lost",        "credits",  "key_cap",  "rate",        "concurrency",
                                            "suspended",   "store",    "attempts", "too_long",    "stopped",
                                            "unplaceable", "unserved", "resting"};
static const char *const finish_names[] = {"stop", "length", "cancelled"};

static inline const char *provider_name(const struct names *providers, uint64_t handle) {
    for (size_t i = 0; i < providers->count; i++) {
        if (handle != CORE_NO_HANDLE && providers->items[i].handle == handle) {
            return providers->items[i].name;
        }
    }
    return "none";
}

/* name:tokens:nano-dollars for each part, with commas. */
static inline void print_parts(char *out, size_t size, const struct names *providers, const struct core_outcome *o) {
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < o->part_count && used < size; i++) {
        const struct core_part *part = &o->parts[i];
        int length = snprintf(out + used, size - used, "%s%s:%u:%lld", i > 0 ? "," : "",
                              provider_name(providers, part->provider), part->tokens, (long long)part->nano);
        used += (size_t)length;
        if (used < size && (part->given_nano > 0 || part->escrow)) { /* of it, given credit; it is in escrow */
            used += (size_t)snprintf(out + used, size - used, ":%lld%s", (long long)part->given_nano,
                                     part->escrow ? ":escrow" : "");
        }
    }
}

static inline void print_end(char *out, size_t size, const char *kind, const char *generation,
                             const struct names *providers, const struct core_effect *e) {
    const struct core_outcome *o = &e->finish;
    const char *provider = provider_name(providers, e->provider);
    char parts[256];
    print_parts(parts, sizeof(parts), providers, o);
    (void)snprintf(out, size,
                   "%s %s %s provider=%s prompt=%u completion=%u cached=%u attempts=%u ttft=%u latency=%u charge=%lld "
                   "provider_nano=%lld network_nano=%lld given=%lld for_cancelled=%s parts=%s",
                   kind, generation, finish_names[o->finish], provider, o->prompt_tokens, o->completion_tokens,
                   o->cached_tokens, o->attempts, o->ttft_ms, o->latency_ms, (long long)o->charge_nano,
                   (long long)o->provider_nano, (long long)o->network_nano, (long long)o->given_nano,
                   o->cancelled ? "yes" : "no", parts);
}

static inline void print_effect(const struct names *generations, const struct names *providers,
                                const struct core_effect *e, char *out, size_t size) {
    const char *generation = e->user < generations->count ? generations->items[e->user].name : "none";
    const char *provider = provider_name(providers, e->provider);
    switch (e->kind) {
    case CORE_EFFECT_ADMITTED:
        (void)snprintf(out, size, "admitted %s", generation);
        break;
    case CORE_EFFECT_DISPATCH:
        (void)snprintf(out, size, "dispatch %s %s attempt=%u continues=%s max_tokens=%u", generation, provider,
                       e->dispatch.attempt, e->dispatch.continues ? "yes" : "no", e->dispatch.max_tokens);
        break;
    case CORE_EFFECT_CANCEL:
        (void)snprintf(out, size, "cancel %s %s", generation, provider);
        break;
    case CORE_EFFECT_ACCEPTED:
        (void)snprintf(out, size, "accepted %s %s", generation, provider);
        break;
    case CORE_EFFECT_DELIVER:
        (void)snprintf(out, size, "deliver %s %s tokens=%u text=%.*s", generation, provider, e->deliver.tokens,
                       STR_ARG(e->deliver.text));
        break;
    case CORE_EFFECT_COUNT:
        print_end(out, size, "count", generation, providers, e);
        break;
    case CORE_EFFECT_SETTLE:
        print_end(out, size, "settle", generation, providers, e);
        break;
    case CORE_EFFECT_FINISH:
        print_end(out, size, "finish", generation, providers, e);
        break;
    case CORE_EFFECT_CANCELLED:
        print_end(out, size, "cancelled", generation, providers, e);
        break;
    case CORE_EFFECT_FAIL:
        (void)snprintf(
            out, size, "fail %s %s started=%s own_only=%s attempts=%u retry_after_ms=%llu job=%s context=%u param=%.*s",
            generation, failure_names[e->fail.failure], e->fail.started ? "yes" : "no", e->fail.own_only ? "yes" : "no",
            e->fail.attempts, (unsigned long long)e->fail.retry_after_ms,
            e->generation == CORE_NO_HANDLE ? "none" : generation, e->fail.context_length, STR_ARG(e->fail.param));
        break;
    case CORE_EFFECT_PROVIDER_ADMITTED:
        (void)snprintf(out, size, "joined %s", providers->items[e->user].name);
        break;
    case CORE_EFFECT_PROVIDER_REFUSED:
        (void)snprintf(out, size, "refused %s", providers->items[e->user].name);
        break;
    case CORE_EFFECT_PROVIDER_BUSY:
        (void)snprintf(out, size, "busy %s", provider);
        break;
    case CORE_EFFECT_PROVIDER_IDLE:
        (void)snprintf(out, size, "idle %s", provider);
        break;
    case CORE_EFFECT_WANT:
        (void)snprintf(out, size, "want %s %.*s", provider, STR_ARG(e->want.model));
        break;
    case CORE_EFFECT_REVIEW:
        (void)snprintf(out, size, "review %s %s", provider, core_review_name(e->review.review));
        break;
    case CORE_EFFECT_WAKE:
        (void)snprintf(out, size, "wake %llu", (unsigned long long)e->wake_at_ms);
        break;
    case CORE_EFFECT_TRACE:
        (void)snprintf(out, size, "trace %s %s %s", generation, e->trace.from, e->trace.to);
        break;
    }
}

#endif
