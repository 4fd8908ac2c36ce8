/* Who does what next: clients, devices with tempers, a store that is late or fails, an operator, and the clock. */
#include "sim/world.h"

static const char MODEL[] = "m";

static void credit(struct world *world, uint64_t number, int64_t amount_nano) {
    struct sim_account *account = &world->accounts[number];
    const int64_t given_nano = amount_nano > 0 ? (int64_t)world_pick(world, (uint32_t)amount_nano + 1) : 0;
    ledger_credit(&world->ledger, number, amount_nano, given_nano);
    account->overdrawn = ledger_wallet(&world->ledger, number) < account->held_nano;
    world_step(world, (struct core_event){
                          .kind = CORE_EVENT_CREDIT,
                          .credit = {.account = number, .amount_nano = amount_nano, .given_nano = given_nano}});
}

/* What waits of one account is its own after all, or goes to another. */
static void escrow_end(struct world *world) {
    const uint64_t number = 1 + world_pick(world, SIM_ACCOUNTS);
    const uint64_t to = world_pick(world, 2) == 0 ? number : 1 + world_pick(world, SIM_ACCOUNTS);
    struct core_event event = {.kind = CORE_EVENT_CREDIT, .credit = {.account = to}};
    ledger_end_escrow(&world->ledger, number, to, &event.credit.amount_nano, &event.credit.given_nano);
    ripening_escrow_ended(world, number, to == number);
    world_step(world, event);
}

/* A device is found at fault, by a wrong answer or otherwise; or it was not. */
static void escrow_turn(struct world *world) {
    struct sim_device *device = &world->devices[world_pick(world, SIM_DEVICES)];
    if (device->handle == CORE_NO_HANDLE) {
        return;
    }
    device->turned++;
    if (!device->escrow && world_pick(world, 2) == 0) {
        device->escrow = true;
        world_step(world, (struct core_event){.kind = CORE_EVENT_REVIEW,
                                              .provider = device->handle,
                                              .review = {.review = CORE_REVIEW_CANARY}});
        ripening_take(world, (size_t)(device - world->devices));
        return;
    }
    device->escrow = !device->escrow;
    world_step(world, (struct core_event){
                          .kind = CORE_EVENT_ESCROW, .provider = device->handle, .escrow = {.on = device->escrow}});
}

void actors_start(struct world *world) {
    for (uint64_t i = 1; i <= SIM_ACCOUNTS; i++) {
        struct sim_account *account = &world->accounts[i];
        account->rate = world_pick(world, 3) == 0 ? 0 : 1 + world_pick(world, 200);
        account->concurrent = world_pick(world, 8);
        world_step(world, (struct core_event){.kind = CORE_EVENT_ACCOUNT,
                                              .account = {.account = i,
                                                          .requests_per_minute = account->rate,
                                                          .concurrent = account->concurrent}});
        credit(world, i, (int64_t)world_pick(world, 40000));
    }
    for (uint64_t i = 1; i <= SIM_KEYS; i++) {
        struct sim_key *key = &world->keys[i];
        key->cap_nano = world_pick(world, 2) == 0 ? -1 : (int64_t)world_pick(world, 20000);
        key->spent_nano = (int64_t)world_pick(world, 1000);
        world_step(world,
                   (struct core_event){.kind = CORE_EVENT_KEY,
                                       .key = {.key = i, .cap_nano = key->cap_nano, .spent_nano = key->spent_nano}});
    }
}

static void operator_act(struct world *world) {
    uint64_t number = 1 + world_pick(world, SIM_ACCOUNTS);
    struct sim_account *account = &world->accounts[number];
    if (world_pick(world, 4) == 0) {
        (world_pick(world, 2) == 0 ? escrow_end : escrow_turn)(world);
        return;
    }
    if (world_pick(world, 5) == 0) { /* all that is owed, or some of it */
        const int64_t owed_nano = world->ledger.balances[LEDGER_EARNINGS + number];
        const int64_t some_nano = owed_nano > 0 ? (int64_t)world_pick(world, (uint32_t)owed_nano) : 0;
        ripening_pay_out(world, number, world_pick(world, 3) == 0 ? owed_nano : some_nano);
        return;
    }
    if (world_pick(world, 6) == 0) {
        account->suspended = !account->suspended;
        world_step(world, (struct core_event){.kind = CORE_EVENT_ACCOUNT,
                                              .account = {.account = number,
                                                          .requests_per_minute = account->rate,
                                                          .concurrent = account->concurrent,
                                                          .suspended = account->suspended}});
        return;
    }
    int64_t amount = (int64_t)world_pick(world, 30000);
    credit(world, number, world_pick(world, 6) == 0 ? -amount : amount);
}

/* The worst case is all that the account has left to spend, or one nano-dollar more. */
static void request_the_last(struct world *world, struct sim_generation *generation, bool and_more) {
    int64_t left = ledger_wallet(&world->ledger, generation->account) - world->accounts[generation->account].held_nano;
    generation->key = 0;
    generation->prompt_tokens_max = 1;
    generation->prompt_tokens_enough = 0;
    generation->prompt_price_nano = (left > 0 ? left : 0) + and_more;
    generation->completion_price_nano = 0;
}

static void client_request(struct world *world) {
    uint64_t user = world->generation_count++;
    struct sim_generation *generation = &world->generations[user];
    uint32_t odd = world_pick(world, 60);
    *generation = (struct sim_generation){
        .account = odd == 0 ? SIM_ACCOUNTS + 9 : world_pick(world, SIM_ACCOUNTS + 1),
        .key = odd == 1 ? SIM_KEYS + 9 : world_pick(world, SIM_KEYS + 1),
        .max_tokens = odd == 2 ? UINT32_MAX : world_pick(world, 60),
        .prompt_tokens_max = odd == 3 ? UINT32_MAX : world_pick(world, 60),
        .prompt_tokens_enough = world_pick(world, 60),
        .prompt_tokens_likely = world_pick(world, 60),
        .prompt_tokens_sure = world_pick(world, 3) == 0 ? 0 : world_pick(world, 60),
        .claim = UINT32_MAX,
        .prompt_price_nano = odd == 4 ? INT64_MAX : (int64_t)world_pick(world, 40),
        .completion_price_nano = odd == 5 ? -1 : (int64_t)world_pick(world, 80),
    };
    if (odd >= 6 && odd < 10 && generation->account <= SIM_ACCOUNTS) {
        request_the_last(world, generation, odd == 9);
    }
    world_step(world, (struct core_event){.kind = CORE_EVENT_REQUEST,
                                          .request = {.user = user,
                                                      .model = str_from(MODEL),
                                                      .max_tokens = generation->max_tokens,
                                                      .account = generation->account,
                                                      .key = generation->key,
                                                      .prompt_tokens_max = generation->prompt_tokens_max,
                                                      .prompt_tokens_enough = generation->prompt_tokens_enough,
                                                      .prompt_tokens_likely = generation->prompt_tokens_likely,
                                                      .prompt_tokens_sure = generation->prompt_tokens_sure,
                                                      .max_tokens_given = user % 2 == 0,
                                                      .prompt_price_nano = generation->prompt_price_nano,
                                                      .completion_price_nano = generation->completion_price_nano}});
}

/* One of the latest clients goes; also one whose generation has ended or whose request was refused. */
static void client_go(struct world *world) {
    if (world->generation_count > 0) {
        uint32_t back = world_pick(world, world->generation_count < 16 ? (uint32_t)world->generation_count : 16);
        world_step(world,
                   (struct core_event){.kind = CORE_EVENT_CLIENT_GONE,
                                       .generation = world->generations[world->generation_count - 1 - back].handle});
    }
}

/* The shell cannot give one of the latest clients its answer; also when the generation has ended or its client has
 * gone. */
static void shell_abort(struct world *world) {
    if (world->generation_count == 0) {
        return;
    }
    uint32_t back = world_pick(world, world->generation_count < 16 ? (uint32_t)world->generation_count : 16);
    const struct sim_generation *generation = &world->generations[world->generation_count - 1 - back];
    world_step(world, (struct core_event){
                          .kind = CORE_EVENT_ABORT,
                          .generation = generation->handle,
                          .abort = {world_pick(world, 2) == 0 ? CORE_FAILURE_TOO_LONG : CORE_FAILURE_STOPPED}});
    if (world->problem == NULL && generation->aborted && generation->ends != 1) {
        world_problem(world, "an aborted generation goes on");
    }
}

static void client_act(struct world *world) {
    uint32_t what = world_pick(world, 100);
    if (what < 80) {
        client_request(world);
    } else if (what < 85) {
        shell_abort(world);
    } else {
        for (uint32_t i = what < 98 ? 1 : SIM_STORM; i > 0; i--) {
            client_go(world);
        }
    }
}

static void device_offer(struct world *world, const struct sim_device *device) {
    struct core_offer offer = {.model = str_from(MODEL),
                               .state = world_pick(world, 8) == 0 ? CORE_MODEL_LOADING : CORE_MODEL_WARM,
                               .slots = 1 + world_pick(world, 6),
                               .context_length = 4096};
    world_step(world,
               (struct core_event){.kind = CORE_EVENT_PROVIDER_STATUS,
                                   .provider = device->handle,
                                   .status = {.offers = &offer, .offer_count = 1, .device = {.battery_percent = -1}}});
}

static void device_join(struct world *world, struct sim_device *device) {
    struct core_event event = {.kind = CORE_EVENT_PROVIDER_JOINED,
                               .joined = {.user = (uint64_t)(device - world->devices), .trusted = true}};
    core_record_init(&event.joined.record);
    device->owner = world_pick(world, SIM_ACCOUNTS + 1);
    device->escrow = world_pick(world, 8) == 0;
    device->turned++;
    event.joined.owner = device->owner;
    event.joined.escrow = device->escrow;
    world_step(world, event);
    /* Half of them are honest, or little would ever be finished. */
    device->temper = world_pick(world, 2) == 0 ? SIM_HONEST : (enum sim_temper)world_pick(world, SIM_TEMPERS);
    device_offer(world, device);
}

static void device_crash(struct world *world, struct sim_device *device) {
    uint64_t handle = device->handle;
    device->handle = CORE_NO_HANDLE;
    device->task_count = 0;
    world_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_LEFT, .provider = handle});
}

/* A number of tokens as this device reports it. */
static uint32_t device_count(struct world *world, const struct sim_device *device, uint32_t truth) {
    if (device->temper != SIM_LIAR) {
        return truth;
    }
    return world_pick(world, 4) == 0 ? UINT32_MAX - world_pick(world, 9) : world_pick(world, 200);
}

/* Bytes of so many tokens. */
static size_t device_bytes(struct world *world, const struct sim_device *device, uint32_t tokens) {
    if (device->temper == SIM_LIAR) {
        return world_pick(world, 3) == 0 ? world_pick(world, 4096) : world_pick(world, 8);
    }
    return (size_t)tokens * (1 + world_pick(world, 5));
}

/* Its last word about a task. */
static void device_end(struct world *world, struct sim_device *device, size_t index) {
    struct sim_task task = device->tasks[index];
    const struct sim_generation *generation = &world->generations[task.user];
    struct core_event event = {.generation = generation->handle, .provider = device->handle};
    device->tasks[index] = device->tasks[--device->task_count];
    if (world_pick(world, device->temper == SIM_FAILING ? 2 : 20) == 0) {
        event.kind = CORE_EVENT_ERROR;
        event.error.failure = (enum core_attempt_failure)world_pick(world, CORE_ATTEMPT_DRAINING);
    } else {
        event.kind = CORE_EVENT_DONE;
        event.done.finish = task.cancelled ? CORE_FINISH_CANCELLED : (enum core_finish)world_pick(world, 2);
        if (device->temper == SIM_LIAR && world_pick(world, 10) == 0) {
            event.done.finish = CORE_FINISH_CANCELLED;
        }
        event.done.prompt_tokens = device_count(world, device, generation->prompt_tokens_max / 2);
        event.done.completion_tokens = device_count(world, device, task.produced);
    }
    world_step(world, event);
}

static void device_work(struct world *world, struct sim_device *device) {
    size_t index = world_pick(world, (uint32_t)device->task_count);
    struct sim_task *task = &device->tasks[index];
    const struct sim_generation *generation = &world->generations[task->user];
    struct core_event event = {.generation = generation->handle, .provider = device->handle};
    if (task->cancelled || world_pick(world, 6) == 0) {
        device_end(world, device, index);
    } else if (!task->accepted && world_pick(world, 12) > 0) {
        task->accepted = true;
        event.kind = CORE_EVENT_ACCEPT;
        event.accept.prompt_tokens = device_count(world, device, generation->prompt_tokens_max / 2);
        world_step(world, event);
    } else if (task->produced == 0 && world_pick(world, 4) == 0) {
        event.kind = CORE_EVENT_PROGRESS;
        event.progress.done_tokens =
            device_count(world, device, world_pick(world, 1 + generation->prompt_tokens_max / 2));
        world_step(world, event);
    } else {
        static const char text[4096] = {0};
        event.kind = CORE_EVENT_DELTA;
        event.delta.tokens = device_count(world, device, world_pick(world, 4));
        event.delta.text = (struct str){.data = text, .len = device_bytes(world, device, event.delta.tokens)};
        if (task->produced < generation->max_tokens) {
            task->produced++;
        }
        world_step(world, event);
    }
}

static void device_act(struct world *world) {
    struct sim_device *device = &world->devices[world_pick(world, SIM_DEVICES)];
    uint32_t what = world_pick(world, 100);
    if (device->handle == CORE_NO_HANDLE) {
        device_join(world, device);
    } else if (what < 2) {
        device_crash(world, device);
    } else if (what < 3) {
        world_step(world, (struct core_event){.kind = CORE_EVENT_PROVIDER_DRAINING, .provider = device->handle});
    } else if (what < 8) {
        device_offer(world, device);
    } else if (device->task_count > 0 && device->temper != SIM_SILENT &&
               (device->temper != SIM_SLOW || world_pick(world, 8) == 0)) {
        device_work(world, device);
    }
}

/* The store writes what waits in any order; now and then it cannot. */
static void store_act(struct world *world) {
    if (world->unsettled_count == 0) {
        return;
    }
    size_t index = world_pick(world, (uint32_t)world->unsettled_count);
    struct sim_generation *generation = &world->generations[world->unsettled[index]];
    world->unsettled[index] = world->unsettled[--world->unsettled_count];
    bool durable = world_pick(world, 12) > 0;
    /* On disk before anybody is told: the core's balance follows the ledger in the step below. */
    model_committed(world, generation, durable);
    world_step(world, (struct core_event){.kind = CORE_EVENT_COMMITTED,
                                          .generation = generation->handle,
                                          .committed = {.durable = durable}});
    if (world->problem == NULL && generation->ends != 1) {
        world_problem(world, "a committed generation goes on");
    }
}

/* The counter tells how long prompts are, or that it does not know. */
static void counter_act(struct world *world) {
    if (world->uncounted_count == 0) {
        return;
    }
    size_t index = world_pick(world, (uint32_t)world->uncounted_count);
    struct sim_generation *generation = &world->generations[world->uncounted[index]];
    world->uncounted[index] = world->uncounted[--world->uncounted_count];
    world_step(world, (struct core_event){.kind = CORE_EVENT_COUNTED,
                                          .generation = generation->handle,
                                          .counted = {world_pick(world, 3) == 0 ? 0 : world_pick(world, 60)}});
}

/* Time passes, and the timer fires when it is due; but it may be late, or early. */
static void pass_time(struct world *world) {
    world->now_ms += world_pick(world, 50) == 0 ? world_pick(world, 4000) : world_pick(world, 20);
    if (world->wake_at_ms <= world->now_ms ? world_pick(world, 10) > 0 : world_pick(world, 50) == 0) {
        world->wake_at_ms = UINT64_MAX;
        world_step(world, (struct core_event){.kind = CORE_EVENT_TIMER});
    }
}

void actors_act(struct world *world) {
    pass_time(world);
    uint32_t what = world_pick(world, 1000);
    if (what < 50) {
        operator_act(world);
    } else if (what < 300) {
        client_act(world);
    } else if (what < 330) {
        counter_act(world);
    } else if (what < 360) {
        store_act(world);
    } else if (what < 361) {
        world_step(world, (struct core_event){.kind = CORE_EVENT_DRAIN});
    } else {
        device_act(world);
    }
}

static void device_take(struct world *world, const struct core_effect *effect, bool cancel) {
    for (size_t i = 0; i < SIM_DEVICES; i++) {
        struct sim_device *device = &world->devices[i];
        if (device->handle != effect->provider) {
            continue;
        }
        if (!cancel && device->task_count < SIM_TASKS) {
            device->tasks[device->task_count++] = (struct sim_task){.user = effect->user};
        }
        for (size_t t = 0; cancel && t < device->task_count; t++) {
            device->tasks[t].cancelled |= device->tasks[t].user == effect->user;
        }
        return;
    }
    world_problem(world, "an effect for a device that is not there");
}

void actors_take(struct world *world, const struct core_effect *effect) {
    if (effect->kind == CORE_EFFECT_DISPATCH || effect->kind == CORE_EFFECT_CANCEL) {
        device_take(world, effect, effect->kind == CORE_EFFECT_CANCEL);
    } else if (effect->kind == CORE_EFFECT_PROVIDER_ADMITTED) {
        world->devices[effect->user].handle = effect->provider;
    } else if (effect->kind == CORE_EFFECT_COUNT) {
        world->uncounted[world->uncounted_count++] = effect->user;
    } else if (effect->kind == CORE_EFFECT_SETTLE) {
        world->unsettled[world->unsettled_count++] = effect->user;
    }
}

void actors_finish(struct world *world) {
    while (core_counts(world->core).generations > 0 && world->problem == NULL) {
        if (world->uncounted_count > 0) {
            counter_act(world);
        } else if (world->unsettled_count > 0) {
            store_act(world);
        } else if (world->wake_at_ms == UINT64_MAX) {
            world_problem(world, "generations live and no timer is armed");
        } else {
            world->now_ms = world->wake_at_ms > world->now_ms ? world->wake_at_ms : world->now_ms;
            world->wake_at_ms = UINT64_MAX;
            world_step(world, (struct core_event){.kind = CORE_EVENT_TIMER});
        }
    }
    for (size_t i = 0; i < world->generation_count && world->problem == NULL; i++) {
        if (world->generations[i].ends != (world->generations[i].handle != CORE_NO_HANDLE)) {
            world_problem(world, "an admitted generation did not end exactly once");
        }
    }
    for (size_t i = 1; i <= SIM_ACCOUNTS; i++) {
        if (world->accounts[i].held_nano != 0 && world->problem == NULL) {
            world_problem(world, "a hold has outlived its generation");
        }
    }
}
