/* The generations that wait for a device, model by model.
 *
 * Continuations of begun answers go first. Then the accounts take turns: each gives one generation, in order of its
 * arrival but for those that come back from a failed attempt, and goes to the end of the line. So an account with a
 * thousand generations waiting delays another's single one by a single generation.
 *
 * The last account stays in the line when its generations have gone, so that a generation that goes at once costs no
 * memory.
 *
 * A generation that cannot go (its devices are busy, or it has tried them) holds nobody up, and is not looked at again
 * before the devices of its model change, or RELOOK_MS have passed: what placement decides may depend on time.
 *
 * The retry budget is against storms: of the generations of which nothing has come (core->fresh), retry_percent may be
 * on a further attempt at once (core->retrying), but at least retry_floor. The others wait here. */
#include "core/core_internal.h"

enum { RELOOK_MS = 1000 };

void core_queue_init(struct core_queue *queue) {
    core_list_init(&queue->begun);
    core_list_init(&queue->turns);
}

static void queue_mark_pending(struct core *core, struct core_model *model) {
    if (!core_link_is_listed(&model->pending_link)) {
        core_list_push_back(&core->pending, &model->pending_link);
    }
}

static struct core_turn *queue_turn(const struct core_queue *queue, uint64_t account) {
    struct core_turn *turn = NULL;
    HASH_FIND(hh, queue->by_account, &account, sizeof(account), turn);
    return turn;
}

static bool turn_is_empty(const struct core_turn *turn) {
    return turn->again.count + turn->generations.count == 0;
}

static void queue_drop_turn(struct core_queue *queue, struct core_turn *turn) {
    core_list_remove(&queue->turns, &turn->link);
    HASH_DEL(queue->by_account, turn);
    free(turn);
}

void core_queue_clear(struct core_queue *queue) {
    struct core_link *link = core_list_first(&queue->turns);
    if (link != NULL) { /* nobody waits any more, so it is the one that was kept */
        queue_drop_turn(queue, CORE_OF(link, struct core_turn, link));
    }
}

static struct core_turn *queue_make_turn(struct core_queue *queue, uint64_t account) {
    struct core_turn *turn = queue_turn(queue, account);
    if (turn != NULL && turn_is_empty(turn)) { /* it comes anew: at the end of the line */
        core_list_remove(&queue->turns, &turn->link);
        core_list_push_back(&queue->turns, &turn->link);
    }
    if (turn == NULL) {
        turn = MEM_NEW(struct core_turn);
        turn->account = account;
        core_list_init(&turn->again);
        core_list_init(&turn->generations);
        core_list_push_back(&queue->turns, &turn->link);
        HASH_ADD(hh, queue->by_account, account, sizeof(turn->account), turn);
    }
    return turn;
}

/* Where the generation waits. */
static struct core_list *queue_list(const struct core_generation *generation) {
    if (generation->turn == NULL) {
        return &generation->model->queue.begun;
    }
    return generation->came_back ? &generation->turn->again : &generation->turn->generations;
}

void core_queue_enter(struct core *core, struct core_generation *generation) {
    struct core_queue *queue = &generation->model->queue;
    generation->looked = false;
    generation->came_back = generation->attempts > 0;
    if (generation->started) {
        core_list_push_back(&queue->begun, &generation->link);
    } else {
        generation->turn = queue_make_turn(queue, generation->account);
        core_list_push_back(queue_list(generation), &generation->link);
    }
    queue->count++;
    core->queued++;
    queue_mark_pending(core, generation->model);
}

void core_queue_leave(struct core *core, struct core_generation *generation) {
    struct core_queue *queue = &generation->model->queue;
    struct core_turn *turn = generation->turn;
    core_list_remove(queue_list(generation), &generation->link);
    generation->turn = NULL;
    if (turn != NULL && turn_is_empty(turn) && queue->turns.count > 1) {
        queue_drop_turn(queue, turn);
    }
    core->queued--;
    if (--queue->count == 0 && core_link_is_listed(&queue->starved_link)) {
        core_list_remove(&core->starved, &queue->starved_link);
    }
}

void core_queue_look_again(struct core *core, struct core_generation *generation) {
    generation->looked = false;
    queue_mark_pending(core, generation->model);
}

static bool queue_budget_is_left(const struct core *core) {
    uint64_t allowed = (uint64_t)core->fresh * core->config.retry_percent / 100;
    return core->retrying < allowed || core->retrying < core->config.retry_floor;
}

bool core_queue_budget_allows(const struct core *core, const struct core_generation *generation) {
    return generation->started || generation->round == 0 || queue_budget_is_left(core);
}

/* The generation has to wait. It may be gone afterwards: a canary does not wait. */
static void queue_keep(struct core *core, struct core_generation *generation) {
    struct core_model *model = generation->model;
    generation->looked = true;
    if (generation->only_provider != CORE_NO_HANDLE) {
        core_generation_fail(core, generation, CORE_FAILURE_UNPLACEABLE, "its device cannot take it now");
        return;
    }
    if (!generation->waited) {
        generation->waited = true;
        core_warm_demand(core, (struct str){.data = model->id, .len = model->id_len});
    }
    if (model->gated[CORE_GATE_NONE] > 0 && core->now_ms + RELOOK_MS < generation->queue_due_ms) {
        core_deadline_set(core, &generation->deadline, core->now_ms + RELOOK_MS);
    }
}

/* Dispatches the generation if it can go; true: it went. */
static bool queue_try(struct core *core, struct core_generation *generation) {
    struct core_queue *queue = &generation->model->queue;
    if (generation->looked) {
        return false;
    }
    if (!core_queue_budget_allows(core, generation)) {
        if (!core_link_is_listed(&queue->starved_link)) {
            core_list_push_back(&core->starved, &queue->starved_link);
        }
        return false;
    }
    uint32_t first = 0, count = 0;
    struct core_offering *offering = NULL;
    if (generation->model->gated[CORE_GATE_NONE] > 0 || generation->only_provider != CORE_NO_HANDLE) {
        offering = core_place(core, generation, &first, &count);
    }
    if (offering == NULL) {
        queue_keep(core, generation);
        return false;
    }
    core_attempt_start(core, generation, offering, first, count);
    return true;
}

static void queue_forget_looks(const struct core_list *generations) {
    for (struct core_link *link = core_list_first(generations); link != NULL;
         link = core_list_next(generations, link)) {
        CORE_OF(link, struct core_generation, link)->looked = false;
    }
}

/* Every generation that waits is to be looked at. */
static void queue_look_at_all(struct core_queue *queue) {
    const struct core_list *turns = &queue->turns;
    queue->look_again = false;
    queue_forget_looks(&queue->begun);
    for (struct core_link *link = core_list_first(turns); link != NULL; link = core_list_next(turns, link)) {
        struct core_turn *turn = CORE_OF(link, struct core_turn, link);
        queue_forget_looks(&turn->again);
        queue_forget_looks(&turn->generations);
    }
}

/* Tries the generations of a list in order until one has gone. The list may be gone with its last generation. */
static bool queue_serve(struct core *core, const struct core_list *generations) {
    struct core_link *next;
    for (struct core_link *link = core_list_first(generations); link != NULL; link = next) {
        next = core_list_next(generations, link);
        if (queue_try(core, CORE_OF(link, struct core_generation, link))) {
            return true;
        }
    }
    return false;
}

/* Likewise, for an account. Canaries are never among those that come back, so these do not take the turn with them. */
static bool queue_serve_turn(struct core *core, struct core_turn *turn) {
    return queue_serve(core, &turn->again) || queue_serve(core, &turn->generations);
}

static void queue_run(struct core *core, struct core_model *model) {
    struct core_queue *queue = &model->queue;
    if (queue->look_again) {
        queue_look_at_all(queue);
    }
    while (queue_serve(core, &queue->begun)) {
    }
    struct core_link *next;
    for (struct core_link *link = core_list_first(&queue->turns); link != NULL; link = next) {
        next = core_list_next(&queue->turns, link);
        uint64_t account = CORE_OF(link, struct core_turn, link)->account;
        bool served = queue_serve_turn(core, CORE_OF(link, struct core_turn, link));
        const struct core_turn *turn = served ? queue_turn(queue, account) : NULL;
        if (turn != NULL && !turn_is_empty(turn)) { /* it has more: at the end of the line */
            core_list_remove(&queue->turns, link);
            core_list_push_back(&queue->turns, link);
            next = next == NULL ? link : next;
        }
    }
}

/* There is room in the retry budget: those that waited for nothing else are looked at. */
static void queue_feed_starved(struct core *core) {
    struct core_link *link;
    while ((link = core_list_first(&core->starved)) != NULL) {
        core_list_remove(&core->starved, link);
        queue_mark_pending(core, CORE_OF(link, struct core_model, queue.starved_link));
    }
}

void core_queues_run(struct core *core) {
    if (queue_budget_is_left(core)) {
        queue_feed_starved(core);
    }
    struct core_link *link;
    while ((link = core_list_first(&core->pending)) != NULL) {
        struct core_model *model = CORE_OF(link, struct core_model, pending_link);
        core_list_remove(&core->pending, link);
        model->references++; /* a canary that cannot go may be its last generation */
        queue_run(core, model);
        core_model_release(core, model);
    }
}
