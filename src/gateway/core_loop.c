#include "gateway/core_loop.h"

#include "base/mem.h"

#include <stdlib.h>

enum { LATER_FIRST = 16 };

uint64_t core_loop_now_ms(const struct core_loop *core_loop) {
    return loop_now_ms(core_loop->loop);
}

static void arm_timer(struct core_loop *core_loop, uint64_t wake_at_ms) {
    const uint64_t now = core_loop_now_ms(core_loop);
    loop_timer_start(core_loop->timer, wake_at_ms > now ? wake_at_ms - now : 0, 0);
}

static void step_once(struct core_loop *core_loop, const struct core_event *event) {
    const struct core_effects effects = core_step(core_loop->core, core_loop_now_ms(core_loop), event);
    for (size_t i = 0; i < effects.count; i++) {
        const struct core_effect *effect = &effects.items[i];
        if (effect->kind == CORE_EFFECT_WAKE) {
            arm_timer(core_loop, effect->wake_at_ms);
        } else {
            core_loop->carry_out(core_loop->context, effect, effects.candidates);
        }
    }
}

void core_loop_step_later(struct core_loop *core_loop, const struct core_event *event) {
    if (core_loop->later_count == core_loop->later_capacity) {
        core_loop->later_capacity = core_loop->later_capacity == 0 ? LATER_FIRST : 2 * core_loop->later_capacity;
        core_loop->later = mem_realloc(core_loop->later, core_loop->later_capacity * sizeof(*core_loop->later));
    }
    core_loop->later[core_loop->later_count++] = *event;
}

void core_loop_step(struct core_loop *core_loop, const struct core_event *event) {
    if (core_loop->stepping) {
        /* Effects are borrowed until the next step, so an event that arises while they are carried out waits. Only a
         * client cut for reading too slowly can do that; everything else surfaces in a later iteration of the loop, or
         * is told by core_loop_step_later. */
        core_loop_step_later(core_loop, event);
        return;
    }
    core_loop->stepping = true;
    step_once(core_loop, event);
    for (size_t i = 0; i < core_loop->later_count; i++) {
        const struct core_event waiting = core_loop->later[i]; /* the list may move in the step */
        step_once(core_loop, &waiting);
    }
    core_loop->later_count = 0;
    core_loop->stepping = false;
}

static void timer_due(void *context) {
    core_loop_step(context, &(struct core_event){.kind = CORE_EVENT_TIMER});
}

void core_loop_init(struct core_loop *core_loop, struct loop *loop, const struct core_config *config,
                    void (*carry_out)(void *context, const struct core_effect *effect,
                                      const struct core_candidate *candidates),
                    void *context) {
    *core_loop = (struct core_loop){.core = core_new(config), .loop = loop, .carry_out = carry_out, .context = context};
    core_loop->timer = loop_timer_new(loop, timer_due, core_loop);
}

void core_loop_clear(struct core_loop *core_loop) {
    if (core_loop->core != NULL) {
        core_free(core_loop->core);
    }
    loop_timer_free(core_loop->timer);
    free(core_loop->later);
    *core_loop = (struct core_loop){0};
}
