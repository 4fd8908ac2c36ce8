/* A device's life. Some come and go with the hour, some are lost: their link closes, or they fall silent with the link
 * open, for some seconds or for good. All come back, with the record that the network has kept of them. */
#include "sim/network.h"

#include "base/mem.h"

#include <math.h>
#include <string.h>

enum {
    DAY_HOURS = 24,
    HOUR_MS = 3600000,
    SESSION_MS = 40 * 60000, /* on average, until its owner takes it away */
    BACK_MS = 90000,         /* on average, after a loss */
    DRAIN_MS = 20000,
    BUSY_TICK_MS = 5000,
    IDLE_TICK_MS = 120000,
    PAUSE_MS = 300000,
    PAUSE_EVERY_MS = 2 * HOUR_MS,
    FORGET_MS = 1800000, /* away for longer: nothing is in memory any more */
};

static struct net_event device_event(const struct net_world *world, const struct net_device *device,
                                     enum net_happening kind, uint32_t serial) {
    return (struct net_event){.kind = kind, .device = net_device_index(world, device), .serial = serial};
}

/* Most are there in the evening of their region. */
static double device_presence(const struct net_world *world, const struct net_device *device) {
    double hour = world->start_hour + (double)world->now_ms / HOUR_MS + device->region * 6.0;
    return 0.65 + 0.25 * cos((hour - 21.0) / DAY_HOURS * 2.0 * 3.14159265358979);
}

static void device_plan(struct net_world *world, struct net_device *device, enum net_turn turn, uint64_t after_ms) {
    device->turn = turn;
    net_queue_put(world, after_ms, device_event(world, device, NET_LIFE, ++device->life_serial));
}

/* It is there: how long, and how does that end? */
static void device_plan_end(struct net_world *world, struct net_device *device) {
    uint64_t leave_ms = net_wait_ms(world, SESSION_MS), loss_ms = UINT64_MAX;
    if (world->options.loss_percent > 0) {
        loss_ms = net_wait_ms(world, 100.0 / (double)world->options.loss_percent * 60000.0);
    }
    bool lost = loss_ms < leave_ms;
    device_plan(world, device, lost ? NET_TURN_LOSS : NET_TURN_LEAVE, lost ? loss_ms : leave_ms);
}

double net_device_pace(const struct net_device *device) {
    enum core_heat heat = net_device_heat(device);
    return heat == CORE_HEAT_NOMINAL ? 1.0 : heat == CORE_HEAT_FAIR ? 0.6 : 0.25;
}

enum core_heat net_device_heat(const struct net_device *device) {
    return device->heat > 0.85 ? CORE_HEAT_SERIOUS : device->heat > 0.5 ? CORE_HEAT_FAIR : CORE_HEAT_NOMINAL;
}

bool net_device_is_paused(const struct net_world *world, const struct net_device *device) {
    return device->paused_until_ms > world->now_ms || device->stranger.scorer ||
           (device->kind != NET_DESKTOP && !device->charging && device->battery < 0.2);
}

/* Heat and battery since it last looked. Work heats a phone in three minutes, a laptop in fifteen, a desktop never. */
static void device_feel(struct net_world *world, struct net_device *device) {
    double seconds = (double)(world->now_ms - device->felt_ms) / 1000.0;
    bool busy = device->task_count > 0;
    device->felt_ms = world->now_ms;
    if (device->kind == NET_DESKTOP) {
        return;
    }
    double rise = device->kind == NET_PHONE ? 1.0 / 180.0 : 1.0 / 900.0;
    device->heat = busy ? fmin(1.0, device->heat + seconds * rise) : fmax(0.0, device->heat - seconds / 240.0);
    double drain_per_s = (busy ? 0.4 : 0.08) / 3600.0;
    double change = device->charging ? 0.5 / 3600.0 : -drain_per_s;
    device->battery = fmin(1.0, fmax(0.05, device->battery + seconds * change));
    if (net_chance(world, seconds / 3600.0)) {
        device->charging = !device->charging;
    }
    if (net_chance(world, seconds * 1000.0 / PAUSE_EVERY_MS)) {
        device->paused_until_ms = world->now_ms + PAUSE_MS;
    }
}

void net_device_tell(struct net_world *world, struct net_device *device) {
    struct core_offer offers[NET_DEVICE_MODELS];
    for (uint32_t i = 0; i < device->copy_count; i++) {
        const struct net_copy *copy = &device->copies[i];
        offers[i] = (struct core_offer){
            .model = str_from(net_models[copy->model].name),
            .state = copy->state,
            .slots = device->slots,
            .context_length = device->context_length,
            .load_ms = copy->load_seen ? net_models[copy->model].load_ms : 0,
            .bytes_left = copy->bytes_left,
            .bytes_per_s = copy->bytes_left > 0 ? device->bytes_per_s : 0,
        };
    }
    struct core_device_state state = {
        .heat = net_device_heat(device),
        .battery_percent = device->kind == NET_DESKTOP ? -1 : (int32_t)(device->battery * 100.0),
        .charging = device->charging,
        .paused = net_device_is_paused(world, device),
        .takes_wants = true,
        .storage_free_bytes = device->storage_bytes,
    };
    device->told = (uint32_t)state.heat * 1000 + (state.paused ? 500 : 0) + (uint32_t)(device->battery * 20.0) +
                   (state.charging ? 200 : 0);
    net_step(world,
             (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                 .provider = device->handle,
                                 .status = {.offers = offers, .offer_count = device->copy_count, .device = state}});
}

static void device_tick(struct net_world *world, struct net_device *device) {
    uint64_t elapsed_ms = world->now_ms - device->felt_ms;
    device_feel(world, device);
    bool news = net_copies_pass(world, device, elapsed_ms);
    if (!device->mute) {
        uint32_t state = (uint32_t)net_device_heat(device) * 1000 + (net_device_is_paused(world, device) ? 500 : 0) +
                         (uint32_t)(device->battery * 20.0) + (device->charging ? 200 : 0);
        if (news || state != device->told) {
            net_device_tell(world, device);
        }
    }
    bool lively = device->task_count > 0 || device->heat > 0.5 || device->paused_until_ms > world->now_ms;
    for (uint32_t i = 0; i < device->copy_count; i++) {
        lively |= device->copies[i].bytes_left > 0;
    }
    net_queue_put(world, lively ? BUSY_TICK_MS : IDLE_TICK_MS,
                  device_event(world, device, NET_TICK, ++device->tick_serial));
}

void net_device_tick_in(struct net_world *world, struct net_device *device, uint64_t after_ms) {
    device_feel(world, device);
    net_queue_put(world, after_ms, device_event(world, device, NET_TICK, ++device->tick_serial));
}

static void device_join(struct net_world *world, struct net_device *device) {
    struct core_event event = {.kind = CORE_EVENT_PROVIDER_JOINED,
                               .joined = {.user = net_device_index(world, device),
                                          .verified = device->verified,
                                          .trusted = device->stranger.trusted,
                                          .owner = device->stranger.owner,
                                          .quarantined = device->stranger.quarantined,
                                          .escrow = device->stranger.escrow,
                                          .ram_bytes = device->ram_bytes,
                                          .record = device->record,
                                          .away_ms = world->now_ms - device->left_ms}};
    memcpy(event.joined.region, net_regions[device->region], CORE_REGION_SIZE);
    device->mute = device->noticed = device->watched = device->draining = false;
    uint64_t away_ms = world->now_ms - device->felt_ms;
    device->felt_ms = world->now_ms;
    device->heat = fmax(0.0, device->heat - (double)away_ms / 240000.0);
    for (uint32_t i = 0; i < device->copy_count && away_ms > FORGET_MS; i++) {
        struct net_copy *copy = &device->copies[i];
        copy->state = copy->state == CORE_MODEL_WARM ? CORE_MODEL_COLD : copy->state;
    }
    net_step(world, event);
    if (device->handle == CORE_NO_HANDLE) {
        world->figures.refused_joins++;
        device_plan(world, device, NET_TURN_JOIN, BACK_MS);
        return;
    }
    world->figures.joins++;
    uint64_t there = HASH_COUNT(world->by_handle);
    world->figures.devices_most = there > world->figures.devices_most ? there : world->figures.devices_most;
    net_device_tell(world, device);
    if (!device->stranger.trusted) {
        device_plan_end(world, device);
    }
    net_queue_put(world, random_below(&world->random, IDLE_TICK_MS),
                  device_event(world, device, NET_TICK, ++device->tick_serial));
}

/* The time of its loss, of all begun answers that it was at. */
static void device_note_loss(struct net_world *world, const struct net_device *device) {
    uint32_t index = net_device_index(world, device);
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        const struct net_task *task = &device->tasks[i];
        struct net_generation *generation = &world->generations[task->generation];
        if (task->phase != NET_FREE && generation->alive && generation->holder == index && generation->lost_ms == 0 &&
            !generation->gone) {
            generation->lost_ms = world->now_ms + 1;
            world->figures.hits += generation->started;
        }
    }
}

static void device_close(struct net_world *world, struct net_device *device, double back_ms) {
    uint64_t handle = device->handle;
    struct core_provider_view view;
    device_note_loss(world, device);
    if (core_provider_view(world->core, handle, world->now_ms, &view)) {
        device->record = view.record;
    }
    for (uint32_t i = 0; i < device->copy_count; i++) {
        struct net_copy *copy = &device->copies[i];
        copy->state = copy->state == CORE_MODEL_LOADING ? CORE_MODEL_COLD : copy->state;
    }
    HASH_DELETE(hh, world->by_handle, device);
    device->handle = CORE_NO_HANDLE;
    device->left_ms = world->now_ms;
    device->tick_serial++;
    device->task_count = 0;
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        device->tasks[i].phase = NET_FREE;
    }
    device_plan(world, device, NET_TURN_JOIN, net_wait_ms(world, back_ms));
    net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_LEFT, .provider = handle});
}

void net_device_lose(struct net_world *world, struct net_device *device) {
    double fate = net_random(world);
    world->figures.losses++;
    if (fate < 0.7) {
        device_close(world, device, BACK_MS);
        return;
    }
    world->figures.silences++;
    device_note_loss(world, device);
    device->mute = true;
    device->mute_ms = world->now_ms;
    device->life_serial++; /* what was planned is off */
    if (fate < 0.88) {
        net_queue_put(world, 500 + random_below(&world->random, 20000),
                      device_event(world, device, NET_REVIVE, device->life_serial));
    } else {
        net_queue_put(world, NET_LINK_DIES_MS, device_event(world, device, NET_LINK_END, device->life_serial));
    }
    if (device->watched) {
        net_queue_put(world, NET_WATCH_MS, device_event(world, device, NET_NOTICE, device->life_serial));
    }
}

static void device_live(struct net_world *world, struct net_device *device) {
    switch (device->turn) {
    case NET_TURN_JOIN:
        device_join(world, device);
        break;
    case NET_TURN_LOSS:
        net_device_lose(world, device);
        break;
    case NET_TURN_LEAVE:
        device->draining = true;
        net_queue_put(world, DRAIN_MS, device_event(world, device, NET_LINK_END, ++device->life_serial));
        net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_DRAINING, .provider = device->handle});
        break;
    }
}

static void device_revive(struct net_world *world, struct net_device *device) {
    device->mute = false;
    world->figures.revivals++;
    if (device->noticed) {
        device->noticed = false;
        net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_ALIVE, .provider = device->handle});
    }
    net_device_tell(world, device);
    net_tasks_wake(world, device);
    device_plan_end(world, device);
}

static void device_lifes_event(struct net_world *world, struct net_device *device, const struct net_event *event) {
    if (event->serial != device->life_serial) {
        return;
    }
    if (event->kind == NET_LIFE) {
        device_live(world, device);
    } else if (event->kind == NET_REVIVE) {
        device_revive(world, device);
    } else if (event->kind == NET_NOTICE) {
        if (device->watched && !device->noticed) {
            device->noticed = true;
            net_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_SILENT, .provider = device->handle});
        }
    } else {
        double share = device_presence(world, device);
        device_close(world, device, device->draining ? SESSION_MS * (1.0 - share) / share : BACK_MS);
    }
}

/* A region's network breaks down: four of five devices there are gone at once. */
static void region_outage(struct net_world *world, uint32_t region) {
    for (uint32_t i = 0; i < world->device_count && world->problem == NULL; i++) {
        struct net_device *device = &world->devices[i];
        if (device->handle != CORE_NO_HANDLE && device->region == region && net_chance(world, 0.8)) {
            world->figures.losses++;
            device_close(world, device, BACK_MS);
        }
    }
}

static void device_loaded(struct net_world *world, struct net_device *device, uint32_t model) {
    struct net_copy *copy = net_copy_find(device, model);
    if (device->handle == CORE_NO_HANDLE || copy == NULL || copy->state != CORE_MODEL_LOADING) {
        return;
    }
    copy->state = CORE_MODEL_WARM;
    copy->load_seen = true;
    copy->used_ms = world->now_ms;
    if (!device->mute) {
        net_device_tell(world, device);
        net_tasks_wake(world, device);
    }
}

void net_device_happens(struct net_world *world, const struct net_event *event) {
    struct net_device *device = &world->devices[event->device];
    if (event->kind == NET_OUTAGE) {
        region_outage(world, event->number);
    } else if (event->kind == NET_LIFE || event->kind == NET_REVIVE || event->kind == NET_NOTICE ||
               event->kind == NET_LINK_END) {
        device_lifes_event(world, device, event);
    } else if (event->kind == NET_TICK) {
        if (event->serial == device->tick_serial) {
            device_tick(world, device);
        }
    } else if (event->kind == NET_TASK) {
        if (device->tasks[event->number].serial == event->serial) {
            net_task_work(world, device, event->number);
        }
    } else if (event->kind == NET_CANCEL) {
        net_task_cancel(world, device, event->generation);
    } else if (event->kind == NET_LOADED) {
        device_loaded(world, device, event->number);
    } else if (device->handle != CORE_NO_HANDLE && !device->mute) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_ERROR,
                                            .provider = device->handle,
                                            .generation = world->generations[event->generation].handle,
                                            .error = {.failure = CORE_ATTEMPT_OVERLOADED}});
    }
}

static void device_reviewed(struct net_world *world, struct net_device *device) {
    world->figures.reviews++;
    if (device->lie == NET_HONEST && device->stranger.cheat == NET_FAIR) {
        world->figures.false_alarms++;
    } else if (!device->reviewed) {
        world->figures.found++;
    }
    device->reviewed = true;
}

void net_device_effect(struct net_world *world, const struct core_effect *effect) {
    struct net_device *device = NULL;
    if (effect->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        device = &world->devices[effect->user];
        device->handle = effect->provider;
        HASH_ADD(hh, world->by_handle, handle, sizeof(device->handle), device);
        if (world->options.strangers) {
            net_link_add(world, effect->provider, (uint32_t)effect->user);
        }
        return;
    }
    HASH_FIND(hh, world->by_handle, &effect->provider, sizeof(effect->provider), device);
    if (device == NULL) {
        if (effect->kind == CORE_EFFECT_DISPATCH || effect->kind == CORE_EFFECT_WANT) {
            net_problem(world, (uint32_t)effect->user, "an effect for a device that is not there");
        }
    } else if (effect->kind == CORE_EFFECT_DISPATCH) {
        net_task_begin(world, device, (uint32_t)effect->user, effect);
    } else if (effect->kind == CORE_EFFECT_CANCEL) {
        net_queue_put(world, device->latency_ms,
                      (struct net_event){.kind = NET_CANCEL,
                                         .device = net_device_index(world, device),
                                         .generation = (uint32_t)effect->user});
    } else if (effect->kind == CORE_EFFECT_PROVIDER_BUSY) {
        device->watched = true;
        if (device->mute && !device->noticed) {
            net_queue_put(world, NET_WATCH_MS, device_event(world, device, NET_NOTICE, device->life_serial));
        }
    } else if (effect->kind == CORE_EFFECT_PROVIDER_IDLE) {
        device->watched = false;
    } else if (effect->kind == CORE_EFFECT_WANT) {
        world->figures.wants++;
        net_copy_want(world, device, effect->want.model);
    } else if (effect->kind == CORE_EFFECT_REVIEW) {
        device_reviewed(world, device);
    }
}

/* The same hardware, place and files, of another owner. */
static void device_make_twin(struct net_device *device, const struct net_device *of) {
    device->kind = of->kind;
    device->region = of->region;
    device->slots = of->slots;
    device->latency_ms = of->latency_ms;
    device->context_length = of->context_length;
    device->decode_per_s = of->decode_per_s;
    device->prefill_per_s = of->prefill_per_s;
    device->battery = of->battery;
    device->charging = of->charging;
    device->bytes_per_s = of->bytes_per_s;
    device->ram_bytes = of->ram_bytes;
    device->storage_bytes = of->storage_bytes;
    device->copy_count = of->copy_count;
    memcpy(device->copies, of->copies, sizeof(device->copies));
}

/* The operator's own: always on, fast, with all models but the rare one. */
static void device_make_trusted(struct net_device *device) {
    device->kind = NET_DESKTOP;
    device->verified = true;
    device->slots = 4;
    device->decode_per_s = 20.0;
    device->prefill_per_s = 400.0;
    device->context_length = 16384;
    device->ram_bytes = UINT64_C(64) << 30;
    device->copy_count = 0;
    for (uint32_t model = 0; model < NET_RARE_MODEL; model++) {
        device->copies[device->copy_count++] = (struct net_copy){
            .model = model, .state = model < 2 ? CORE_MODEL_WARM : CORE_MODEL_COLD, .load_seen = true};
    }
}

/* Speeds are spread like those of people's devices: log-normal, from 1 to 60 tokens a second. */
static void device_make(struct net_world *world, struct net_device *device) {
    double normal = sqrt(-2.0 * log(net_random(world))) * cos(2.0 * 3.14159265358979 * net_random(world));
    double kind = net_random(world);
    device->kind = kind < 0.5 ? NET_PHONE : kind < 0.8 ? NET_LAPTOP : NET_DESKTOP;
    device->lie = net_chance(world, 0.02) ? (enum net_lie)(1 + random_below(&world->random, NET_LIES - 1)) : NET_HONEST;
    device->decode_per_s = fmin(60.0, fmax(1.0, 14.0 * exp(0.8 * normal)));
    device->prefill_per_s = device->decode_per_s * (8.0 + 22.0 * net_random(world));
    device->region = (uint32_t)random_below(&world->random, NET_REGIONS);
    device->verified = net_chance(world, 0.3);
    device->slots = device->kind == NET_DESKTOP ? 4 : device->kind == NET_LAPTOP ? 2 : 1;
    device->latency_ms = 10 + (uint32_t)random_below(&world->random, 80);
    device->context_length = device->kind == NET_PHONE ? 4096 : 16384;
    device->battery = net_random(world);
    device->charging = net_chance(world, 0.6);
    device->bytes_per_s = 1000000 + random_below(&world->random, 20000000);
    device->ram_bytes = (device->kind == NET_PHONE ? UINT64_C(6) : UINT64_C(16)) << 30;
    device->storage_bytes = random_below(&world->random, UINT64_C(20) << 30);
    core_record_init(&device->record);
    net_copies_make(world, device);
    if (!world->options.strangers) {
        return;
    }
    device->lie = NET_HONEST;
    device->verified = false;
    if (net_stranger_make(world, net_device_index(world, device))) {
        device_make_twin(device, device - 1);
    } else if (device->stranger.passed > 0) {
        device->record.audits = device->stranger.passed;
    } else if (device->stranger.trusted) {
        device_make_trusted(device);
    }
}

void net_devices_make(struct net_world *world) {
    world->device_count = (uint32_t)world->options.devices;
    world->devices = mem_calloc(world->device_count + 1, sizeof(*world->devices));
    uint64_t came_ms = 0;
    for (uint32_t i = 0; i < world->device_count && world->problem == NULL; i++) {
        struct net_device *device = &world->devices[i];
        device_make(world, device);
        const bool first = device->stranger.trusted || device->stranger.passed > 0;
        if (world->options.strangers && !first) { /* a liar or its twin: they come one by one, at the same time */
            const uint64_t half = i > 0 && world->devices[i - 1].stranger.twin == i;
            device_plan(world, device, NET_TURN_JOIN,
                        half ? came_ms : (came_ms = random_below(&world->random, world->end_ms / 2) + 1));
        } else if (device->stranger.trusted || net_chance(world, device_presence(world, device))) {
            device_join(world, device);
        } else {
            device_plan(world, device, NET_TURN_JOIN, net_wait_ms(world, SESSION_MS / 2.0));
        }
    }
    net_queue_put(
        world, world->end_ms * 6 / 10,
        (struct net_event){.kind = NET_OUTAGE, .number = (uint32_t)random_below(&world->random, NET_REGIONS)});
}
