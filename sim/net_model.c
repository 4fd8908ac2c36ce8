/* The models on a device: on disk, being loaded, in memory, being fetched. One is in memory at a time, two on a
 * desktop. */
#include "sim/network.h"

enum { EVICT_MS = 1800000 };

struct net_copy *net_copy_find(struct net_device *device, uint32_t model) {
    for (uint32_t i = 0; i < device->copy_count; i++) {
        if (device->copies[i].model == model) {
            return &device->copies[i];
        }
    }
    return NULL;
}

void net_copies_make(struct net_world *world, struct net_device *device) {
    bool warm = false;
    for (uint32_t model = 0; model < NET_MODELS && device->copy_count < NET_DEVICE_MODELS; model++) {
        bool fits = net_models[model].bytes * 2 < device->ram_bytes;
        if (!fits || !net_chance(world, net_models[model].share)) {
            continue;
        }
        struct net_copy *copy = &device->copies[device->copy_count++];
        *copy = (struct net_copy){.model = model, .state = CORE_MODEL_COLD};
        if (!warm && net_chance(world, 0.6)) {
            copy->state = CORE_MODEL_WARM;
            copy->load_seen = warm = true;
        }
    }
}

static bool copy_is_used(const struct net_world *world, const struct net_device *device, const struct net_copy *copy) {
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        const struct net_task *task = &device->tasks[i];
        if (task->phase != NET_FREE && world->generations[task->generation].model == copy->model) {
            return true;
        }
    }
    return false;
}

/* Room for one more: the model that was not used for longest leaves, if nobody needs it. */
static void copies_make_room(struct net_world *world, struct net_device *device) {
    struct net_copy *oldest = NULL;
    uint32_t present = 0, most = device->kind == NET_DESKTOP ? 2 : 1;
    for (uint32_t i = 0; i < device->copy_count; i++) {
        struct net_copy *copy = &device->copies[i];
        if (copy->state != CORE_MODEL_WARM) {
            continue;
        }
        present++;
        if (!copy_is_used(world, device, copy) && (oldest == NULL || copy->used_ms < oldest->used_ms)) {
            oldest = copy;
        }
    }
    if (present >= most && oldest != NULL) {
        oldest->state = CORE_MODEL_COLD;
    }
}

void net_copy_load(struct net_world *world, struct net_device *device, struct net_copy *copy) {
    if (copy->state != CORE_MODEL_COLD) {
        return;
    }
    copies_make_room(world, device);
    copy->state = CORE_MODEL_LOADING;
    uint32_t load_ms = net_models[copy->model].load_ms;
    net_queue_put(
        world, load_ms * 7 / 10 + random_below(&world->random, load_ms),
        (struct net_event){.kind = NET_LOADED, .device = net_device_index(world, device), .number = copy->model});
}

/* Called among the effects of a step: its status follows with the next tick. */
void net_copy_want(struct net_world *world, struct net_device *device, struct str name) {
    uint32_t model = 0;
    while (!str_equal_cstr(name, net_models[model].name)) {
        if (++model == NET_MODELS) {
            net_problem(world, NET_NOTHING, "a model is wanted that nobody knows");
            return;
        }
    }
    struct net_copy *copy = net_copy_find(device, model);
    if (copy != NULL) {
        net_copy_load(world, device, copy);
    } else if (device->copy_count < NET_DEVICE_MODELS && device->storage_bytes >= net_models[model].bytes) {
        device->storage_bytes -= net_models[model].bytes;
        device->copies[device->copy_count++] =
            (struct net_copy){.model = model, .state = CORE_MODEL_DOWNLOADING, .bytes_left = net_models[model].bytes};
    }
    device->told = UINT32_MAX;
    net_device_tick_in(world, device, device->latency_ms);
}

bool net_copies_pass(struct net_world *world, struct net_device *device, uint64_t elapsed_ms) {
    bool news = false;
    for (uint32_t i = 0; i < device->copy_count; i++) {
        struct net_copy *copy = &device->copies[i];
        if (copy->state == CORE_MODEL_DOWNLOADING) {
            uint64_t came = device->bytes_per_s * elapsed_ms / 1000;
            copy->bytes_left = copy->bytes_left > came ? copy->bytes_left - came : 0;
            news = true;
            if (copy->bytes_left == 0) {
                copy->state = CORE_MODEL_COLD;
                net_copy_load(world, device, copy);
            }
        } else if (copy->state == CORE_MODEL_WARM && world->now_ms > copy->used_ms + EVICT_MS &&
                   !copy_is_used(world, device, copy)) {
            copy->state = CORE_MODEL_COLD;
            news = true;
        }
    }
    return news;
}
