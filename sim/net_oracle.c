/* What only the simulator knows: the true speed and state of every device. */
#include "sim/network.h"

enum { SAMPLES = 400, CHARS_OF_TOKEN = 3 };

static bool fits(const struct net_generation *generation, const struct net_device *device) {
    return device->handle != CORE_NO_HANDLE && !device->stranger.quarantined && !device->mute && !device->draining &&
           (generation->region == NET_NOTHING || generation->region == device->region) &&
           (!generation->verified || device->verified) && net_device_heat(device) < CORE_HEAT_SERIOUS &&
           device->context_length >= generation->prompt_tokens + generation->max_tokens;
}

static const struct net_copy *ready_copy(const struct net_device *device, uint32_t model) {
    for (uint32_t i = 0; i < device->copy_count; i++) {
        const struct net_copy *copy = &device->copies[i];
        if (copy->model == model) {
            return copy->state == CORE_MODEL_WARM || copy->state == CORE_MODEL_COLD ? copy : NULL;
        }
    }
    return NULL;
}

static double true_ms(const struct net_generation *generation, const struct net_device *device,
                      const struct net_copy *copy) {
    uint32_t tokens = generation->length / CHARS_OF_TOKEN;
    tokens = tokens < generation->max_tokens ? tokens : generation->max_tokens;
    double speed = net_models[generation->model].speed * net_device_pace(device);
    double load_ms = copy->state == CORE_MODEL_COLD ? net_models[generation->model].load_ms : 0;
    return load_ms + generation->prompt_tokens * 1000.0 / (device->prefill_per_s * speed) +
           tokens * 1000.0 * (device->task_count + 1) / (device->decode_per_s * speed);
}

/* In thousandths of what the best device would take. A sample: it looks at all of them. */
void net_oracle_placed(struct net_world *world, const struct net_generation *generation,
                       const struct net_device *device) {
    uint32_t every = world->generations_max / SAMPLES + 1;
    const struct net_copy *copy = ready_copy(device, generation->model);
    if ((generation - world->generations) % every != 0 || copy == NULL) {
        return;
    }
    double chosen_ms = true_ms(generation, device, copy), best_ms = chosen_ms;
    for (uint32_t i = 0; i < world->device_count; i++) {
        const struct net_device *other = &world->devices[i];
        copy = fits(generation, other) && other->task_count < other->slots && !net_device_is_paused(world, other)
                   ? ready_copy(other, generation->model)
                   : NULL;
        double ms = copy == NULL ? best_ms : true_ms(generation, other, copy);
        struct core_provider_view view;
        if (ms < best_ms && core_provider_view(world->core, other->handle, world->now_ms, &view) &&
            view.cooldown_ms == 0) {
            best_ms = ms;
        }
    }
    net_sample_add(&world->figures.placed, (uint64_t)(chosen_ms * 1000.0 / best_ms));
}

static bool was_given_up(const struct net_generation *generation, uint64_t handle) {
    for (uint32_t i = 0; i < generation->given_up_count && i < NET_GIVEN_UP; i++) {
        if (generation->given_up[i] == handle) {
            return true;
        }
    }
    return false;
}

bool net_oracle_has_other(const struct net_world *world, const struct net_generation *generation) {
    for (uint32_t i = 0; i < world->device_count; i++) {
        const struct net_device *device = &world->devices[i];
        if (i != generation->holder && fits(generation, device) && !was_given_up(generation, device->handle) &&
            !net_device_is_paused(world, device) && ready_copy(device, generation->model) != NULL) {
            return true;
        }
    }
    return false;
}
