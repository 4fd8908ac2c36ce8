/* Clients: they ask, go on with conversations, lose patience; and what each may expect of its answer. */
#include "sim/network.h"

#include <string.h>

enum {
    RUSHES = 6,
    RUSH_MS = 20000,
    RUSH_PERCENT = 8, /* of all requests */
    COMMIT_MS = 5,
    PURSE_MS = 60000,
    CONTEXT_MOST = 3000,
};

void net_clients_start(struct net_world *world) {
    for (uint32_t i = 0; i < NET_MODELS; i++) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_MODEL,
                                            .model = {.model = str_from(net_models[i].name),
                                                      .file_bytes = net_models[i].bytes,
                                                      .ram_bytes = net_models[i].bytes * 2}});
    }
    const uint32_t all = (uint32_t)world->options.generations;
    uint32_t rushed = all * RUSH_PERCENT / 100 / RUSHES * RUSHES;
    for (uint32_t i = 0; i < all - rushed; i++) {
        net_queue_put(world, random_below(&world->random, world->end_ms), (struct net_event){.kind = NET_ARRIVAL});
    }
    for (uint32_t i = 0; i < RUSHES; i++) {
        net_queue_put(world, world->end_ms * i / RUSHES + world->end_ms / 30,
                      (struct net_event){.kind = NET_RUSH, .number = rushed / RUSHES});
    }
    net_queue_put(world, PURSE_MS, (struct net_event){.kind = NET_PURSE});
}

static uint32_t pick_model(struct net_world *world) {
    double at = net_random(world);
    uint32_t model = 0;
    while (model + 1 < NET_MODELS && (at -= net_models[model].wanted) > 0) {
        model++;
    }
    return model;
}

static void generation_make(struct net_world *world, struct net_generation *generation, bool rush) {
    struct net_conversation *conversation = &world->conversations[random_below(&world->random, NET_CONVERSATIONS)];
    *generation = (struct net_generation){
        .model = rush ? NET_RARE_MODEL : pick_model(world),
        .region = NET_NOTHING,
        .account = net_chance(world, rush ? 0.7 : 0.5) ? NET_FLOOD_ACCOUNT
                                                       : 2 + (uint32_t)random_below(&world->random, NET_ACCOUNTS - 1),
        .holder = NET_NOTHING,
        .prompt_tokens = 10 + (uint32_t)(net_wait_ms(world, 120) % 1500),
        .length = (uint32_t)(net_wait_ms(world, 300) % 2500),
        .max_tokens = net_chance(world, 0.3) ? 16 + (uint32_t)random_below(&world->random, 100) : 1024,
        .asked_ms = world->now_ms,
        .leaves_prefix = random_next(&world->random) | 1,
    };
    if (!rush && conversation->open && net_chance(world, 0.6)) {
        generation->prefix = conversation->prefix;
        generation->model = conversation->model;
        generation->account = conversation->account;
        generation->prompt_tokens = conversation->prompt_tokens;
        conversation->open = false;
    }
    if (!rush && net_chance(world, 0.05)) {
        generation->region = (uint32_t)random_below(&world->random, NET_REGIONS);
    }
    generation->verified = !rush && net_chance(world, world->options.strangers ? 0.005 : 0.05);
}

/* Where strangers are, what they count is counted again when it is a quarter too much. */
static uint32_t prompt_sure(const struct net_world *world, const struct net_generation *generation) {
    return world->options.strangers ? generation->prompt_tokens + generation->prompt_tokens / 4 : 0;
}

static void client_ask(struct net_world *world, bool rush) {
    if (world->asked == world->options.generations || world->generation_count == world->generations_max) {
        return;
    }
    world->asked++;
    uint32_t index = world->generation_count++;
    struct net_generation *generation = &world->generations[index];
    generation_make(world, generation, rush);
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.user = index,
                                           .model = str_from(net_models[generation->model].name),
                                           .max_tokens = generation->max_tokens,
                                           .account = generation->account,
                                           .prompt_tokens_max = generation->prompt_tokens * 2,
                                           .prompt_tokens_sure = prompt_sure(world, generation),
                                           .prompt_price_nano = net_prices[0],
                                           .completion_price_nano = net_prices[1],
                                           .verified = generation->verified,
                                           .prefix = generation->prefix,
                                           .leaves_prefix = generation->leaves_prefix}};
    if (generation->region != NET_NOTHING) {
        memcpy(event.request.region, net_regions[generation->region], CORE_REGION_SIZE);
    }
    net_step(world, event);
    generation->waited = generation->alive && generation->holder == NET_NOTHING;
    if (generation->alive && net_chance(world, 0.03)) {
        net_queue_put(world, net_wait_ms(world, 5000), (struct net_event){.kind = NET_GOES, .generation = index});
    }
}

static void client_commit(struct net_world *world, uint32_t index) {
    struct net_generation *generation = &world->generations[index];
    generation->durable = !net_chance(world, 0.0002);
    world->figures.not_durable += !generation->durable;
    if (generation->durable) {
        net_money_committed(world, generation);
        if (world->options.strangers) {
            net_earn(world, generation->parts, generation->part_count);
        }
    }
    net_step(world, (struct core_event){.kind = CORE_EVENT_COMMITTED,
                                        .generation = generation->handle,
                                        .committed = {.durable = generation->durable}});
    if (generation->alive) {
        net_problem(world, index, "a committed generation goes on");
    }
}

void net_client_happens(struct net_world *world, const struct net_event *event) {
    struct net_generation *generation = &world->generations[event->generation];
    if (event->kind == NET_ARRIVAL) {
        client_ask(world, event->number == 1);
    } else if (event->kind == NET_GOES) {
        if (generation->alive) {
            generation->gone |= !generation->settling;
            net_step(world, (struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .generation = generation->handle});
        }
    } else if (event->kind == NET_COMMIT) {
        client_commit(world, event->generation);
    } else if (event->kind == NET_COUNTED) {
        net_step(world, (struct core_event){.kind = CORE_EVENT_COUNTED,
                                            .generation = generation->handle,
                                            .counted = {.prompt_tokens = generation->prompt_tokens}});
    } else if (event->kind == NET_RUSH) {
        for (uint32_t i = 0; i < event->number; i++) {
            net_queue_put(world, random_below(&world->random, RUSH_MS),
                          (struct net_event){.kind = NET_ARRIVAL, .number = 1});
        }
    } else if (world->now_ms < world->end_ms) {
        net_money_credit(world, NET_POOR_ACCOUNT, net_chance(world, 0.8) ? 1000000 : -300000);
        net_queue_put(world, PURSE_MS, (struct net_event){.kind = NET_PURSE});
    }
}

/* Who was served while others waited for the same model: each of these had a right to the same part. */
static void count_turn(struct net_world *world, const struct net_generation *generation) {
    const uint32_t *waiting = world->waiting[generation->model];
    uint32_t accounts = 0;
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        accounts += waiting[i] > 0;
    }
    if (!generation->waited || accounts < 2 || generation->region != NET_NOTHING || generation->verified) {
        return;
    }
    world->figures.contended++;
    world->figures.served[generation->account] += 1;
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        world->figures.entitled[i] += waiting[i] > 0 ? 1.0 / accounts : 0;
    }
}

static void client_stops_waiting(struct net_world *world, struct net_generation *generation) {
    if (generation->waits) {
        generation->waits = false;
        world->waiting[generation->model][generation->account]--;
    }
}

static void client_dispatched(struct net_world *world, struct net_generation *generation,
                              const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    struct net_device *device = NULL;
    HASH_FIND(hh, world->by_handle, &effect->provider, sizeof(effect->provider), device);
    if (device == NULL || device->noticed || effect->dispatch.attempt != generation->attempts + 1 ||
        effect->dispatch.continues != generation->started) {
        net_problem(world, index, "a dispatch that cannot be");
        return;
    }
    if (effect->dispatch.max_tokens + generation->tokens != generation->max_tokens && !generation->tainted) {
        net_problem(world, index, "max_tokens does not hold across the seam");
    }
    if (generation->waits) {
        count_turn(world, generation);
        client_stops_waiting(world, generation);
        net_sample_add(&world->figures.queue_ms, world->now_ms - generation->asked_ms);
    }
    if (generation->attempts == 0 && !generation->canary) {
        net_oracle_placed(world, generation, device);
    }
    if (world->options.strangers) {
        net_audit_dispatched(world, generation, device, effect->dispatch.attempt);
    }
    generation->attempts++;
    generation->holder = net_device_index(world, device);
    world->figures.attempts++;
    world->figures.continuations += generation->started;
}

static void client_read(struct net_world *world, struct net_generation *generation, const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    struct str text = effect->deliver.text;
    if (world->speaker == NULL || generation->gone || generation->settling ||
        generation->holder != net_device_index(world, world->speaker)) {
        net_problem(world, index, "text from nowhere");
        return;
    }
    bool loops = world->speaker->lie == NET_LIE_LOOP;
    for (uint32_t i = 0; i < text.len && !loops; i++) {
        if (text.data[i] != net_text_at(index, generation->chars + i)) {
            net_problem(world, index, "the text has a seam");
            return;
        }
    }
    if (generation->lost_ms > 0) {
        uint64_t added_ms = world->now_ms - (generation->lost_ms - 1);
        if (generation->started) {
            net_sample_add(&world->figures.added_ms, added_ms);
        }
        generation->lost_ms = 0;
    }
    if (!generation->started) {
        generation->started = true;
        net_sample_add(&world->figures.ttft_ms, world->now_ms - generation->asked_ms);
    }
    if (generation->made_attempt != world->word->attempt && generation->made_count < CORE_PARTS_MAX) {
        generation->made_attempt = world->word->attempt;
        generation->made[generation->made_count++] = 0;
    }
    generation->made[generation->made_count - 1] += effect->deliver.tokens;
    generation->tokens += effect->deliver.tokens;
    generation->chars += (uint32_t)text.len;
    /* A loop leaves the positions behind it out of step; nothing more can be said about this text. */
    generation->chars = loops ? world->word->at : generation->chars;
}

/* Complete: it ends where it stops by itself, or with the last token allowed. */
static void client_check_whole(struct net_world *world, const struct net_generation *generation,
                               const struct core_outcome *outcome) {
    bool whole = outcome->finish == CORE_FINISH_STOP     ? generation->chars == generation->length
                 : outcome->finish == CORE_FINISH_LENGTH ? generation->tokens == generation->max_tokens
                                                         : false;
    if (!generation->tainted &&
        (!whole || generation->chars > generation->length || generation->tokens > generation->max_tokens)) {
        net_problem(world, (uint32_t)(generation - world->generations), "the answer is not whole");
    }
}

static void client_open_conversation(struct net_world *world, const struct net_generation *generation) {
    uint32_t prompt = generation->prompt_tokens + generation->tokens + 20;
    if (prompt < CONTEXT_MOST && !generation->canary) {
        world->conversations[random_below(&world->random, NET_CONVERSATIONS)] =
            (struct net_conversation){.open = true,
                                      .model = generation->model,
                                      .account = generation->account,
                                      .prompt_tokens = prompt,
                                      .prefix = generation->leaves_prefix};
    }
}

static enum net_end failed_end(struct net_world *world, const struct net_generation *generation,
                               const struct core_effect *effect) {
    enum core_failure failure = effect->fail.failure;
    world->audits.false_refusals += failure == CORE_FAILURE_BAD_REQUEST;
    if (failure == CORE_FAILURE_STORE) {
        return NET_END_FAILED;
    }
    if (generation->started) {
        world->figures.lost_with_other +=
            failure == CORE_FAILURE_LOST && !generation->canary && net_oracle_has_other(world, generation);
        world->figures.late_liars += failure != CORE_FAILURE_LOST && generation->tainted;
        return failure == CORE_FAILURE_LOST ? NET_END_LOST : NET_END_LATE;
    }
    return failure == CORE_FAILURE_ATTEMPTS ? NET_END_FAILED : NET_END_WAITED;
}

static void client_ended(struct net_world *world, struct net_generation *generation, const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    enum core_effect_kind kind = effect->kind;
    enum net_end end = kind == CORE_EFFECT_FINISH ? NET_END_FINISHED : NET_END_CANCELLED;
    if (kind == CORE_EFFECT_FAIL) {
        end = failed_end(world, generation, effect);
        if (effect->fail.started != generation->started ||
            (generation->gone && effect->fail.failure != CORE_FAILURE_STORE)) {
            net_problem(world, index, "it failed as something else");
        }
    } else if (kind == CORE_EFFECT_FINISH) {
        client_check_whole(world, generation, &effect->finish);
        client_open_conversation(world, generation);
    }
    bool charged = kind == CORE_EFFECT_FINISH || (kind == CORE_EFFECT_CANCELLED && generation->settling);
    if (charged != generation->durable || (kind == CORE_EFFECT_CANCELLED && !generation->gone) ||
        (kind == CORE_EFFECT_FINISH && generation->gone)) {
        net_problem(world, index, "it ended as something else, or a failure was charged");
    }
    world->figures.ends[end] += !generation->canary;
    net_audit_dropped(world, generation);
    client_stops_waiting(world, generation);
    generation->alive = false;
}

static bool is_of_generation(enum core_effect_kind kind) {
    switch (kind) {
    case CORE_EFFECT_ADMITTED:
    case CORE_EFFECT_DISPATCH:
    case CORE_EFFECT_CANCEL:
    case CORE_EFFECT_ACCEPTED:
    case CORE_EFFECT_DELIVER:
    case CORE_EFFECT_COUNT:
    case CORE_EFFECT_SETTLE:
    case CORE_EFFECT_FINISH:
    case CORE_EFFECT_FAIL:
    case CORE_EFFECT_CANCELLED:
        return true;
    case CORE_EFFECT_PROVIDER_ADMITTED:
    case CORE_EFFECT_PROVIDER_REFUSED:
    case CORE_EFFECT_PROVIDER_BUSY:
    case CORE_EFFECT_PROVIDER_IDLE:
    case CORE_EFFECT_WANT:
    case CORE_EFFECT_REVIEW:
    case CORE_EFFECT_WAKE:
    case CORE_EFFECT_TRACE:
        break;
    }
    return false;
}

void net_client_effect(struct net_world *world, const struct core_effect *effect) {
    if (effect->kind == CORE_EFFECT_FAIL && effect->generation == CORE_NO_HANDLE) {
        world->figures.ends[NET_END_REFUSED] += !world->generations[effect->user].canary;
        return;
    }
    if (!is_of_generation(effect->kind)) {
        return;
    }
    struct net_generation *generation = &world->generations[effect->user];
    if (effect->kind == CORE_EFFECT_ADMITTED) {
        generation->handle = effect->generation;
        generation->alive = generation->waits = true;
        world->waiting[generation->model][generation->account]++;
    } else if (!generation->alive || generation->handle != effect->generation) {
        net_problem(world, (uint32_t)effect->user, "an effect of a generation that has ended");
    } else if (effect->kind == CORE_EFFECT_DISPATCH) {
        client_dispatched(world, generation, effect);
    } else if (effect->kind == CORE_EFFECT_DELIVER) {
        client_read(world, generation, effect);
    } else if (effect->kind == CORE_EFFECT_SETTLE) {
        generation->settling = true;
        generation->parts = effect->finish.parts;
        generation->part_count = effect->finish.part_count;
        if (!generation->canary) {
            net_money_settle(world, generation, &effect->finish);
        }
        net_queue_put(world, COMMIT_MS, (struct net_event){.kind = NET_COMMIT, .generation = (uint32_t)effect->user});
    } else if (effect->kind == CORE_EFFECT_CANCEL) {
        generation->given_up[generation->given_up_count++ % NET_GIVEN_UP] = effect->provider;
    } else if (effect->kind == CORE_EFFECT_COUNT) {
        generation->settling = true; /* its client comes too late to go */
        net_queue_put(world, COMMIT_MS, (struct net_event){.kind = NET_COUNTED, .generation = (uint32_t)effect->user});
    } else if (effect->kind != CORE_EFFECT_ACCEPTED) {
        client_ended(world, generation, effect);
    }
}
