/* A generation's states, and what happens while a device has it or it waits. Part of core_internal.h, which has the
 * struct; generation.c tells the story. */
#ifndef NATARIS_CORE_GENERATION_H
#define NATARIS_CORE_GENERATION_H

#include "core/core.h"

struct core_generation;
struct core_hold;
struct core_model;

enum core_generation_state {
    CORE_GENERATION_NONE,    /* not yet, or no more: in no list */
    CORE_GENERATION_BACKOFF, /* waits a moment before a further attempt */
    CORE_GENERATION_QUEUED,
    CORE_GENERATION_SENT,
    CORE_GENERATION_PREFILL,
    CORE_GENERATION_STREAMING,
    CORE_GENERATION_CANCELLING,
    CORE_GENERATION_SETTLING,
};
enum { CORE_GENERATION_STATE_COUNT = CORE_GENERATION_SETTLING + 1 };

void core_generation_start(struct core *core, const struct core_event *event, const struct core_hold *hold);
/* What placement goes by, from a request; the rest of the generation stays as it is. */
void core_generation_describe(struct core_generation *generation, struct core_model *model,
                              const struct core_event *event);
void core_generation_accept(struct core *core, struct core_generation *generation, uint32_t prompt_tokens);
void core_generation_progress(struct core *core, struct core_generation *generation, uint32_t done_tokens);
void core_generation_delta(struct core *core, struct core_generation *generation, const struct core_event *event);
void core_generation_done(struct core *core, struct core_generation *generation, const struct core_event *event);
void core_generation_error(struct core *core, struct core_generation *generation, const struct core_event *event);
/* its provider leaves; releases its attempt */
void core_generation_lost(struct core *core, struct core_generation *generation);
void core_generation_silent(struct core *core, struct core_generation *generation); /* its provider does not answer */
void core_generation_overdue(struct core *core, struct core_generation *generation);
/* The one function that changes a generation's state. `why` is a constant. */
void core_generation_move(struct core *core, struct core_generation *generation, enum core_generation_state state,
                          const char *why);
/* of max_tokens, behind what its parts have made */
uint32_t core_generation_tokens_left(const struct core_generation *generation);
uint64_t core_generation_whole_due_ms(const struct core_generation *generation); /* as it holds in its state */

#endif
