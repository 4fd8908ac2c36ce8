#include "core/config.h"

#include "base/compiler.h"

#include <stddef.h>

void core_config_init(struct core_config *config) {
    *config = (struct core_config){
        .max_generations = 8192,
        .max_queue = 1024,
        .max_providers = 20000,
        .max_accounts = 1000000,
        .max_attempts = 6,
        .failover_ms = 15000,
        .continue_ms = 120000,
        .backoff_step_ms = 250,
        .retry_percent = 20,
        .retry_floor = 3,
        .queue_ms = 15000,
        .accept_ms = 2000,
        .first_token_ms = 15000,
        .first_token_per_prompt_token_us = 20000,
        .prefill_least_per_s = 5,
        .silence_ms = 15000,
        .whole_ms = 60000,
        .whole_per_token_ms = 250,
        .cancel_ms = 5000,
        .cooldown_ms = 10000,
        .warming_retry_s = 300,
        .load_ms = 5000,
        .owner_share_percent = 50,
    };
}

static void bound_u32(uint32_t *number, uint32_t low, uint32_t high) {
    if (*number < low) {
        *number = low;
    } else if (*number > high) {
        *number = high;
    }
}

void core_config_bound(struct core_config *config, uint32_t handles_max, uint32_t attempts_max) {
    bound_u32(&config->max_generations, 1, handles_max);
    bound_u32(&config->max_providers, 1, handles_max);
    bound_u32(&config->max_attempts, 1, attempts_max);
    bound_u32(&config->retry_percent, 0, 100);
    bound_u32(&config->owner_share_percent, 1, 100);
    bound_u32(&config->prefill_least_per_s, 1, UINT32_MAX);
    bound_u32(&config->retry_floor, 1, UINT32_MAX); /* or no generation could ever be tried again */
    uint32_t *times[] = {&config->queue_ms,    &config->accept_ms,  &config->first_token_ms, &config->failover_ms,
                         &config->continue_ms, &config->silence_ms, &config->whole_ms,       &config->cancel_ms};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        bound_u32(times[i], 1, UINT32_MAX);
    }
}
