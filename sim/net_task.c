/* A device's work: accept, read the prompt, make text from the position at which the delivered text ends; and the lies
 * of those that report what is not so. */
#include "sim/network.h"

enum {
    TICK_MS = 5000,
    PIECE_MS = 120,
    PIECE_MOST = 16,
    LONG_PIECE_MS = 1500, /* with liars: more jobs, told in fewer pieces */
    LONG_PIECE_MOST = 128,
    LIE_AFTER_GENERATIONS = 2,
    MANY_TIMES = 12,
};

struct piece {
    char text[NET_PIECE_TOKENS * NET_TOKEN_CHARS];
    uint32_t chars, tokens;
};

char net_text_at(uint32_t generation, uint32_t position) {
    uint64_t eight = net_mix(((uint64_t)generation << 32 | position / 8) + 1);
    return (char)('a' + (eight >> position % 8 * 8 & 0xff) % 26);
}

uint32_t net_token_chars(uint32_t generation, uint32_t position) {
    return 1 + (uint32_t)(net_mix((uint64_t)position << 32 | generation) % NET_TOKEN_CHARS);
}

static void task_later(struct net_world *world, struct net_device *device, struct net_task *task, uint64_t after_ms) {
    task->serial = ++device->task_serial;
    net_queue_put(world, after_ms,
                  (struct net_event){.kind = NET_TASK,
                                     .device = net_device_index(world, device),
                                     .number = (uint32_t)(task - device->tasks),
                                     .serial = task->serial});
}

void net_task_begin(struct net_world *world, struct net_device *device, uint32_t generation,
                    const struct core_effect *effect) {
    struct net_generation *about = &world->generations[generation];
    struct net_task *task = NULL;
    for (uint32_t i = 0; i < NET_DEVICE_TASKS && task == NULL; i++) {
        task = device->tasks[i].phase == NET_FREE ? &device->tasks[i] : NULL;
    }
    about->tainted |= device->lie != NET_HONEST || device->stranger.cheat == NET_INFLATED;
    if (task == NULL) {
        net_queue_put(world, device->latency_ms,
                      (struct net_event){
                          .kind = NET_REFUSE, .device = net_device_index(world, device), .generation = generation});
        return;
    }
    if (device->task_count++ == 0) {
        net_device_tick_in(world, device, TICK_MS);
    }
    uint32_t from = about->chars;
    from -= world->options.spoil && from > 0;
    *task = (struct net_task){.phase = NET_NEW,
                              .generation = generation,
                              .attempt = effect->dispatch.attempt,
                              .at = from,
                              .from = from,
                              .max_tokens = effect->dispatch.max_tokens};
    task_later(world, device, task, device->latency_ms);
}

static struct core_event task_event(const struct net_world *world, const struct net_device *device,
                                    const struct net_task *task, enum core_event_kind kind) {
    return (struct core_event){
        .kind = kind, .provider = device->handle, .generation = world->generations[task->generation].handle};
}

static void task_free(struct net_device *device, struct net_task *task) {
    task->phase = NET_FREE;
    task->serial = ++device->task_serial;
    device->task_count--;
}

static void task_fail(struct net_world *world, struct net_device *device, struct net_task *task,
                      enum core_attempt_failure failure) {
    struct core_event event = task_event(world, device, task, CORE_EVENT_ERROR);
    struct net_generation *generation = &world->generations[task->generation];
    event.error.failure = failure;
    if (generation->alive && generation->holder == net_device_index(world, device) && generation->lost_ms == 0) {
        generation->lost_ms = world->now_ms + 1;
        world->figures.hits += generation->started;
    }
    task_free(device, task);
    net_step(world, event);
}

static bool task_lies(struct net_device *device, enum net_lie lie) {
    bool lies = device->lie == lie && device->honest_generations >= LIE_AFTER_GENERATIONS;
    device->has_lied |= lies;
    return lies;
}

static uint32_t task_prompt(const struct net_world *world, struct net_device *device, const struct net_task *task) {
    uint32_t prompt = world->generations[task->generation].prompt_tokens;
    prompt = net_stranger_prompt(device, task, prompt);
    return task_lies(device, NET_LIE_PROMPT) ? prompt * 8 + 500 : prompt;
}

static void task_done(struct net_world *world, struct net_device *device, struct net_task *task,
                      enum core_finish finish) {
    const struct net_generation *generation = &world->generations[task->generation];
    struct core_event event = task_event(world, device, task, CORE_EVENT_DONE);
    event.done.finish = finish;
    event.done.prompt_tokens = task_prompt(world, device, task);
    event.done.completion_tokens = task->tokens;
    event.done.cached_tokens = task->cached_tokens;
    if (finish != CORE_FINISH_CANCELLED && task_lies(device, NET_LIE_OVER)) {
        event.done.completion_tokens = task->max_tokens + 50;
    }
    device->honest_generations++;
    device->cache[device->cache_next] = generation->leaves_prefix;
    device->cache_tokens[device->cache_next] = generation->prompt_tokens + task->tokens;
    device->cache_next = (device->cache_next + 1) % NET_DEVICE_CACHE;
    const struct net_task done = *task;
    task_free(device, task);
    net_step(world, event);
    if (world->options.strangers) {
        net_audit_done(world, device, &done, finish != CORE_FINISH_CANCELLED);
    }
}

static double task_speed(const struct net_world *world, const struct net_device *device, const struct net_task *task) {
    return net_models[world->generations[task->generation].model].speed * net_device_pace(device) *
           net_stranger_pace(device, task);
}

static void task_count_work(struct net_device *device, const struct net_task *task, uint32_t prompt, uint32_t tokens) {
    device->stranger.computed_nano +=
        net_stranger_effort(device, task) * (double)(prompt * net_prices[0] + tokens * net_prices[1]);
}

static void task_accept(struct net_world *world, struct net_device *device, struct net_task *task) {
    const struct net_generation *generation = &world->generations[task->generation];
    struct core_event event = task_event(world, device, task, CORE_EVENT_ACCEPT);
    event.accept.prompt_tokens = task_prompt(world, device, task);
    for (uint32_t i = 0; i < NET_DEVICE_CACHE; i++) {
        if (generation->prefix != 0 && device->cache[i] == generation->prefix) {
            task->cached_tokens = device->cache_tokens[i] < generation->prompt_tokens ? device->cache_tokens[i]
                                                                                      : generation->prompt_tokens;
        }
    }
    world->figures.cached += task->cached_tokens > 0;
    uint32_t fresh = generation->prompt_tokens - task->cached_tokens + generation->tokens;
    task->phase = NET_PREFILL;
    task_count_work(device, task, fresh, 0);
    task_later(world, device, task,
               1 + (uint64_t)(fresh * 1000.0 / (device->prefill_per_s * task_speed(world, device, task))));
    net_step(world, event);
}

/* It takes the job, and decides how it does it. */
static void task_take(struct net_world *world, struct net_device *device, struct net_task *task) {
    task->lies =
        world->options.strangers && net_stranger_lies(world, device, world->generations[task->generation].model);
    if (task->lies && device->stranger.cheat == NET_REFUSING) {
        task_fail(world, device, task, CORE_ATTEMPT_BAD_REQUEST);
    } else {
        task_accept(world, device, task);
    }
}

/* It has just arrived, or its model has been loaded. */
static void task_start(struct net_world *world, struct net_device *device, struct net_task *task) {
    struct net_copy *copy = net_copy_find(device, world->generations[task->generation].model);
    uint32_t working = 0;
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        working += device->tasks[i].phase > NET_NEW;
    }
    if (copy == NULL || copy->state == CORE_MODEL_DOWNLOADING) {
        task_fail(world, device, task, CORE_ATTEMPT_MODEL_MISSING);
    } else if (device->draining) {
        task_fail(world, device, task, CORE_ATTEMPT_DRAINING);
    } else if (task->phase == NET_NEW && working >= device->slots) {
        task_fail(world, device, task, CORE_ATTEMPT_OVERLOADED);
    } else if (copy->state == CORE_MODEL_WARM) {
        copy->used_ms = world->now_ms;
        task_take(world, device, task);
    } else {
        bool cold = copy->state == CORE_MODEL_COLD;
        task->phase = NET_WAITS_FOR_LOAD;
        net_copy_load(world, device, copy);
        if (cold) {
            net_device_tell(world, device);
        }
    }
}

/* Up to `tokens` more, until the text ends. */
static void piece_make(struct net_task *task, uint32_t length, uint32_t tokens, bool loop, struct piece *piece) {
    while (piece->tokens < tokens && task->at < length) {
        uint32_t chars = net_token_chars(task->generation, task->at);
        chars = chars < length - task->at ? chars : length - task->at;
        for (uint32_t i = 0; i < chars; i++) {
            piece->text[piece->chars++] = loop ? '#' : net_text_at(task->generation, task->at + i);
        }
        task->at += chars;
        piece->tokens++;
    }
}

static void piece_send(struct net_world *world, struct net_device *device, struct net_task *task,
                       const struct piece *piece) {
    struct core_event event = task_event(world, device, task, CORE_EVENT_DELTA);
    event.delta.text = (struct str){.data = piece->text, .len = piece->chars};
    event.delta.tokens =
        net_stranger_tokens(device, task, piece->tokens, piece->chars, task->max_tokens - task->tokens);
    event.delta.tokens = task_lies(device, NET_LIE_MANY) ? piece->tokens * MANY_TIMES : event.delta.tokens;
    task->tokens += event.delta.tokens;
    world->figures.deltas++;
    world->speaker = device;
    world->word = task;
    net_step(world, event);
    world->speaker = NULL;
}

static void task_decode(struct net_world *world, struct net_device *device, struct net_task *task) {
    uint32_t length = world->generations[task->generation].length;
    struct piece piece = {.chars = 0};
    double per_s = device->decode_per_s * task_speed(world, device, task) / device->task_count;
    const uint32_t piece_ms = world->options.strangers ? LONG_PIECE_MS : PIECE_MS;
    const uint32_t most = world->options.strangers ? LONG_PIECE_MOST : PIECE_MOST;
    uint32_t tokens = (uint32_t)(per_s * piece_ms / 1000.0) + 1, left = task->max_tokens - task->tokens;
    tokens = tokens < most ? tokens : most;
    tokens = task_lies(device, NET_LIE_FAST) ? NET_PIECE_TOKENS : tokens;
    bool loop = task_lies(device, NET_LIE_LOOP);
    if (task_lies(device, NET_LIE_EMPTY)) {
        task_done(world, device, task, CORE_FINISH_STOP);
        return;
    }
    piece_make(task, loop ? UINT32_MAX : length, loop ? 1 : tokens < left ? tokens : left, loop, &piece);
    if (loop) {
        piece.chars = 1;
    }
    if (piece.tokens > 0) {
        task_count_work(device, task, 0, piece.tokens);
        piece_send(world, device, task, &piece);
    }
    if (!loop && task->at >= length) { /* beyond it: continued behind a loop */
        task_done(world, device, task, CORE_FINISH_STOP);
    } else if (task->tokens >= task->max_tokens) {
        task_done(world, device, task, CORE_FINISH_LENGTH);
    } else {
        double jitter = 0.8 + 0.4 * net_random(world);
        task_later(world, device, task, 1 + (uint64_t)(piece.tokens * 1000.0 / per_s * jitter));
    }
}

void net_task_work(struct net_world *world, struct net_device *device, uint32_t index) {
    struct net_task *task = &device->tasks[index];
    if (task->phase == NET_FREE || device->mute) {
        return;
    }
    if (task->cancelled) {
        task_done(world, device, task, CORE_FINISH_CANCELLED);
    } else if (task->phase == NET_NEW || task->phase == NET_WAITS_FOR_LOAD) {
        task_start(world, device, task);
    } else if (net_chance(world, 0.0003)) {
        task_fail(world, device, task, CORE_ATTEMPT_ENGINE);
    } else {
        task->phase = NET_DECODE;
        task_decode(world, device, task);
    }
}

void net_task_cancel(struct net_world *world, struct net_device *device, uint32_t generation) {
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        struct net_task *task = &device->tasks[i];
        if (task->phase != NET_FREE && task->generation == generation) {
            task->cancelled = true;
            net_task_work(world, device, i);
        }
    }
}

void net_tasks_wake(struct net_world *world, struct net_device *device) {
    for (uint32_t i = 0; i < NET_DEVICE_TASKS; i++) {
        if (device->tasks[i].phase != NET_FREE) {
            task_later(world, device, &device->tasks[i], 1);
        }
    }
}
