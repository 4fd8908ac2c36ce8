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
    uint32_t rushed = world->jobs_max * RUSH_PERCENT / 100 / RUSHES * RUSHES;
    for (uint32_t i = 0; i < world->jobs_max - rushed; i++) {
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

static void job_make(struct net_world *world, struct net_job *job, bool rush) {
    struct net_conversation *conversation = &world->conversations[random_below(&world->random, NET_CONVERSATIONS)];
    *job = (struct net_job){
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
        job->prefix = conversation->prefix;
        job->model = conversation->model;
        job->account = conversation->account;
        job->prompt_tokens = conversation->prompt_tokens;
        conversation->open = false;
    }
    if (!rush && net_chance(world, 0.05)) {
        job->region = (uint32_t)random_below(&world->random, NET_REGIONS);
    }
    job->verified = !rush && net_chance(world, 0.05);
}

static void client_ask(struct net_world *world, bool rush) {
    if (world->job_count == world->jobs_max) {
        return;
    }
    uint32_t index = world->job_count++;
    struct net_job *job = &world->jobs[index];
    job_make(world, job, rush);
    struct core_event event = {.kind = CORE_EVENT_REQUEST,
                               .request = {.user = index,
                                           .model = str_from(net_models[job->model].name),
                                           .max_tokens = job->max_tokens,
                                           .account = job->account,
                                           .prompt_tokens_max = job->prompt_tokens * 2,
                                           .prompt_price_nano = net_prices[0],
                                           .completion_price_nano = net_prices[1],
                                           .verified = job->verified,
                                           .prefix = job->prefix,
                                           .leaves_prefix = job->leaves_prefix}};
    if (job->region != NET_NOTHING) {
        memcpy(event.request.region, net_regions[job->region], CORE_REGION_SIZE);
    }
    net_step(world, event);
    job->waited = job->alive && job->holder == NET_NOTHING;
    if (job->alive && net_chance(world, 0.03)) {
        net_queue_put(world, net_wait_ms(world, 5000), (struct net_event){.kind = NET_GOES, .job = index});
    }
}

static void client_commit(struct net_world *world, uint32_t index) {
    struct net_job *job = &world->jobs[index];
    job->durable = !net_chance(world, 0.0002);
    world->figures.not_durable += !job->durable;
    if (job->durable) {
        net_money_committed(world, job);
    }
    net_step(world, (struct core_event){
                        .kind = CORE_EVENT_COMMITTED, .job = job->handle, .committed = {.durable = job->durable}});
    if (job->alive) {
        net_problem(world, index, "a committed job goes on");
    }
}

void net_client_happens(struct net_world *world, const struct net_event *event) {
    struct net_job *job = &world->jobs[event->job];
    if (event->kind == NET_ARRIVAL) {
        client_ask(world, event->number == 1);
    } else if (event->kind == NET_GOES) {
        if (job->alive) {
            job->gone |= !job->settling;
            net_step(world, (struct core_event){.kind = CORE_EVENT_CLIENT_GONE, .job = job->handle});
        }
    } else if (event->kind == NET_COMMIT) {
        client_commit(world, event->job);
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
static void count_turn(struct net_world *world, const struct net_job *job) {
    const uint32_t *waiting = world->waiting[job->model];
    uint32_t accounts = 0;
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        accounts += waiting[i] > 0;
    }
    if (!job->waited || accounts < 2 || job->region != NET_NOTHING || job->verified) {
        return;
    }
    world->figures.contended++;
    world->figures.served[job->account] += 1;
    for (uint32_t i = 1; i <= NET_ACCOUNTS; i++) {
        world->figures.entitled[i] += waiting[i] > 0 ? 1.0 / accounts : 0;
    }
}

static void client_stops_waiting(struct net_world *world, struct net_job *job) {
    if (job->waits) {
        job->waits = false;
        world->waiting[job->model][job->account]--;
    }
}

static void client_dispatched(struct net_world *world, struct net_job *job, const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    struct net_device *device = NULL;
    HASH_FIND(hh, world->by_handle, &effect->provider, sizeof(effect->provider), device);
    if (device == NULL || device->noticed || effect->dispatch.attempt != job->attempts + 1 ||
        effect->dispatch.continues != job->started) {
        net_problem(world, index, "a dispatch that cannot be");
        return;
    }
    if (effect->dispatch.max_tokens + job->tokens != job->max_tokens && !job->tainted) {
        net_problem(world, index, "max_tokens does not hold across the seam");
    }
    if (job->waits) {
        count_turn(world, job);
        client_stops_waiting(world, job);
        net_sample_add(&world->figures.queue_ms, world->now_ms - job->asked_ms);
    }
    if (job->attempts == 0) {
        net_oracle_placed(world, job, device);
    }
    job->attempts++;
    job->holder = net_device_index(world, device);
    world->figures.attempts++;
    world->figures.continuations += job->started;
}

static void client_read(struct net_world *world, struct net_job *job, const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    struct str text = effect->deliver.text;
    if (world->speaker == NULL || job->gone || job->settling ||
        job->holder != net_device_index(world, world->speaker)) {
        net_problem(world, index, "text from nowhere");
        return;
    }
    bool loops = world->speaker->lie == NET_LIE_LOOP;
    for (uint32_t i = 0; i < text.len && !loops; i++) {
        if (text.data[i] != net_text_at(index, job->chars + i)) {
            net_problem(world, index, "the text has a seam");
            return;
        }
    }
    if (job->lost_ms > 0) {
        uint64_t added_ms = world->now_ms - (job->lost_ms - 1);
        if (job->started) {
            net_sample_add(&world->figures.added_ms, added_ms);
        }
        job->lost_ms = 0;
    }
    if (!job->started) {
        job->started = true;
        net_sample_add(&world->figures.ttft_ms, world->now_ms - job->asked_ms);
    }
    if (job->made_attempt != world->word->attempt && job->made_count < CORE_PARTS_MAX) {
        job->made_attempt = world->word->attempt;
        job->made[job->made_count++] = 0;
    }
    job->made[job->made_count - 1] += effect->deliver.tokens;
    job->tokens += effect->deliver.tokens;
    job->chars += (uint32_t)text.len;
    /* A loop leaves the positions behind it out of step; nothing more can be said about this text. */
    job->chars = loops ? world->word->at : job->chars;
}

/* Complete: it ends where it stops by itself, or with the last token allowed. */
static void client_check_whole(struct net_world *world, const struct net_job *job, const struct core_outcome *outcome) {
    bool whole = outcome->finish == CORE_FINISH_STOP     ? job->chars == job->length
                 : outcome->finish == CORE_FINISH_LENGTH ? job->tokens == job->max_tokens
                                                         : false;
    if (!job->tainted && (!whole || job->chars > job->length || job->tokens > job->max_tokens)) {
        net_problem(world, (uint32_t)(job - world->jobs), "the answer is not whole");
    }
}

static void client_open_conversation(struct net_world *world, const struct net_job *job) {
    uint32_t prompt = job->prompt_tokens + job->tokens + 20;
    if (prompt < CONTEXT_MOST) {
        world->conversations[random_below(&world->random, NET_CONVERSATIONS)] =
            (struct net_conversation){.open = true,
                                      .model = job->model,
                                      .account = job->account,
                                      .prompt_tokens = prompt,
                                      .prefix = job->leaves_prefix};
    }
}

static enum net_end failed_end(struct net_world *world, const struct net_job *job, const struct core_effect *effect) {
    enum core_failure failure = effect->fail.failure;
    if (failure == CORE_FAILURE_STORE) {
        return NET_END_FAILED;
    }
    if (job->started) {
        world->figures.lost_with_other += failure == CORE_FAILURE_LOST && net_oracle_has_other(world, job);
        world->figures.late_liars += failure != CORE_FAILURE_LOST && job->tainted;
        return failure == CORE_FAILURE_LOST ? NET_END_LOST : NET_END_LATE;
    }
    return failure == CORE_FAILURE_ATTEMPTS ? NET_END_FAILED : NET_END_WAITED;
}

static void client_ended(struct net_world *world, struct net_job *job, const struct core_effect *effect) {
    uint32_t index = (uint32_t)effect->user;
    enum core_effect_kind kind = effect->kind;
    enum net_end end = kind == CORE_EFFECT_FINISH ? NET_END_FINISHED : NET_END_CANCELLED;
    if (kind == CORE_EFFECT_FAIL) {
        end = failed_end(world, job, effect);
        if (effect->fail.started != job->started || (job->gone && effect->fail.failure != CORE_FAILURE_STORE)) {
            net_problem(world, index, "it failed as something else");
        }
    } else if (kind == CORE_EFFECT_FINISH) {
        client_check_whole(world, job, &effect->finish);
        client_open_conversation(world, job);
    }
    bool charged = kind == CORE_EFFECT_FINISH || (kind == CORE_EFFECT_CANCELLED && job->settling);
    if (charged != job->durable || (kind == CORE_EFFECT_CANCELLED && !job->gone) ||
        (kind == CORE_EFFECT_FINISH && job->gone)) {
        net_problem(world, index, "it ended as something else, or a failure was charged");
    }
    world->figures.ends[end]++;
    client_stops_waiting(world, job);
    job->alive = false;
}

static bool is_of_job(enum core_effect_kind kind) {
    switch (kind) {
    case CORE_EFFECT_ADMITTED:
    case CORE_EFFECT_DISPATCH:
    case CORE_EFFECT_CANCEL:
    case CORE_EFFECT_ACCEPTED:
    case CORE_EFFECT_DELIVER:
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
    if (effect->kind == CORE_EFFECT_FAIL && effect->job == CORE_NO_HANDLE) {
        world->figures.ends[NET_END_REFUSED]++;
        return;
    }
    if (!is_of_job(effect->kind)) {
        return;
    }
    struct net_job *job = &world->jobs[effect->user];
    if (effect->kind == CORE_EFFECT_ADMITTED) {
        job->handle = effect->job;
        job->alive = job->waits = true;
        world->waiting[job->model][job->account]++;
    } else if (!job->alive || job->handle != effect->job) {
        net_problem(world, (uint32_t)effect->user, "an effect of a job that has ended");
    } else if (effect->kind == CORE_EFFECT_DISPATCH) {
        client_dispatched(world, job, effect);
    } else if (effect->kind == CORE_EFFECT_DELIVER) {
        client_read(world, job, effect);
    } else if (effect->kind == CORE_EFFECT_SETTLE) {
        job->settling = true;
        net_money_settle(world, job, &effect->finish);
        net_queue_put(world, COMMIT_MS, (struct net_event){.kind = NET_COMMIT, .job = (uint32_t)effect->user});
    } else if (effect->kind == CORE_EFFECT_CANCEL) {
        job->given_up[job->given_up_count++ % NET_GIVEN_UP] = effect->provider;
    } else if (effect->kind != CORE_EFFECT_ACCEPTED) {
        client_ended(world, job, effect);
    }
}
