/* The list of effects that a step hands to the shell. */
#include "core/core_internal.h"

#include <string.h>

enum { EFFECTS_FIRST = 64 };

struct core_effect *core_effect_add(struct core *core, enum core_effect_kind kind) {
    if (core->effect_count == core->effect_capacity) {
        /* Bounded: a step ends or moves each generation a few times at most. */
        core->effect_capacity = core->effect_capacity == 0 ? EFFECTS_FIRST : core->effect_capacity * 2;
        core->effects = mem_realloc(core->effects, core->effect_capacity * sizeof(*core->effects));
    }
    struct core_effect *effect = &core->effects[core->effect_count++];
    memset(effect, 0, sizeof(*effect));
    effect->kind = kind;
    return effect;
}

struct core_effect *core_effect_add_generation(struct core *core, enum core_effect_kind kind,
                                               const struct core_generation *generation) {
    struct core_effect *effect = core_effect_add(core, kind);
    effect->generation = generation->handle;
    effect->user = generation->user;
    effect->provider = generation->attempt == NULL ? CORE_NO_HANDLE : generation->attempt->provider_handle;
    return effect;
}

void core_effect_wake(struct core *core) {
    struct core_deadlines *deadlines = &core->deadlines;
    if (deadlines->armed_ms <= core->now_ms) {
        deadlines->armed_ms = UINT64_MAX; /* the timer has fired or is about to, and then finds nothing due */
    }
    /* A timer that comes too early costs one idle step; moving it with every generation would cost more. */
    if (deadlines->count > 0 && deadlines->entries[0].at_ms < deadlines->armed_ms) {
        deadlines->armed_ms = deadlines->entries[0].at_ms;
        core_effect_add(core, CORE_EFFECT_WAKE)->wake_at_ms = deadlines->armed_ms;
    }
}
