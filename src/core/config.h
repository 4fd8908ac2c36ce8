/* What the core is told once, when it is made: its bounds and deadlines. */
#ifndef NATARIS_CORE_CONFIG_H
#define NATARIS_CORE_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

struct core_config {          /* times in milliseconds */
    uint32_t max_generations; /* alive at once, queued or running */
    uint32_t max_queue; /* of these, waiting for a provider; a generation that waits again for a retry may exceed it */
    uint32_t max_providers;
    uint32_t max_accounts; /* accounts and keys known at once */
    /* 6: five further tries, each on another device, until content comes; then the count begins anew. */
    uint32_t max_attempts;
    uint32_t failover_ms; /* no further attempt so long after the first, while nothing has come */
    /* A begun answer that has lost its device waits so long for one that may take it before long
     * (core_place_has_hope). */
    uint32_t continue_ms;
    uint32_t backoff_step_ms; /* linear: the first further attempt at once, each next one so much later again */
    /* of the generations that have delivered nothing, so many may be on a further attempt ... */
    uint32_t retry_percent;
    uint32_t retry_floor;                     /* ... but at least so many; the others wait in the queue */
    uint32_t queue_ms;                        /* phase deadlines: waiting for a provider, each time anew */
    uint32_t accept_ms;                       /* generation sent until accepted */
    uint32_t first_token_ms;                  /* accepted until the first delta ... */
    uint32_t first_token_per_prompt_token_us; /* ... plus this for each token of the prompt (microseconds) */
    /* A device that shows that it works on the prompt has longer, down to so many tokens a second (core/prefill.c). */
    uint32_t prefill_least_per_s;
    uint32_t silence_ms;          /* between deltas */
    uint32_t whole_ms;            /* admission until the end ... */
    uint32_t whole_per_token_ms;  /* ... plus this per token of max_tokens */
    uint32_t cancel_ms;           /* cancel sent until the device's word; then its slot counts as free again */
    uint32_t cooldown_ms;         /* a silent or failing provider gets no new generations for so long */
    uint32_t warming_retry_s;     /* Retry-After when no provider has the model and nothing is known of it */
    uint32_t load_ms;             /* how long loading a model takes on a device that has not told yet */
    uint32_t owner_share_percent; /* of a model's generations for one owner, while devices of others are free */
    bool trace;                   /* emit CORE_EFFECT_TRACE for every change of state */
    uint64_t seed;                /* of the random source that breaks ties */
};
/* The documented defaults (docs/REQUEST.md has the table). */
void core_config_init(struct core_config *config);
/* Whatever was configured, handles fit and no deadline is due in the step that sets it. `handles_max`: of one table. */
void core_config_bound(struct core_config *config, uint32_t handles_max, uint32_t attempts_max);

#endif
