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
 * When devices change, a round goes through all that wait, and ends when no device is free any more. But devices may be
 * free that none of a thousand generations may go to, and that must not cost a thousand placements whenever a device
 * has finished something. So what was found out for one holds for all that ask for the same (core_place_misses), and a
 * step looks at QUEUE_LOOKS_MOST of those that cannot go; the round goes on a millisecond later, where it was, so that
 * nobody is passed over, however often devices change.
 *
 * The retry budget is against storms: of the generations of which nothing has come (core->fresh), retry_percent may be
 * on a further attempt at once (core->retrying), but at least retry_floor. The others wait here. */
#include "core/core_internal.h"

enum {
    RELOOK_MS = 1000,
    QUEUE_LOOKS_MOST = 256, /* in a step, at generations of one model that cannot go ... */
    QUEUE_PLACEMENT = 16,   /* ... and a placement that found nothing is worth so many */
    QUEUE_MISSES = 8,       /* reasons that are kept within a step */
    QUEUE_GOES_ON_MS = 1,
};

/* What one step has looked at in a queue. */
struct queue_looks {
    struct core_miss misses[QUEUE_MISSES];
    size_t miss_count; /* since a generation went last; the latest ones are kept */
    uint32_t left;
};

void core_queue_init(struct core_queue *queue) {
    core_list_init(&queue->begun);
    core_list_init(&queue->turns);
    core_list_init(&queue->due);
    queue->begun_seen = &queue->begun.head;
    queue->turn_seen = &queue->turns.head;
    queue->deadline.kind = CORE_DEADLINE_QUEUE;
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

/* What goes was the last one seen: now that is the one before it. */
static void queue_unsee(struct core_link **seen, const struct core_link *going) {
    if (*seen == going) {
        *seen = going->prev;
    }
}

static void queue_take_turn(struct core_queue *queue, struct core_turn *turn) {
    queue_unsee(&queue->turn_seen, &turn->link);
    core_list_remove(&queue->turns, &turn->link);
}

static void queue_drop_turn(struct core_queue *queue, struct core_turn *turn) {
    queue_take_turn(queue, turn);
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
        queue_take_turn(queue, turn);
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
    if (generation->only_provider != CORE_NO_HANDLE) {
        core_list_push_front(&queue->due, &generation->due_link); /* it goes at once or not at all */
    } else {
        core_list_push_back(&queue->due, &generation->due_link);
    }
    queue->count++;
    core->queued++;
    queue_mark_pending(core, generation->model);
}

void core_queue_leave(struct core *core, struct core_generation *generation) {
    struct core_queue *queue = &generation->model->queue;
    struct core_turn *turn = generation->turn;
    if (turn == NULL) {
        queue_unsee(&queue->begun_seen, &generation->link);
    } else {
        queue_unsee(generation->came_back ? &turn->again_seen : &turn->generation_seen, &generation->link);
    }
    core_list_remove(queue_list(generation), &generation->link);
    if (core_link_is_listed(&generation->due_link)) {
        core_list_remove(&queue->due, &generation->due_link);
    }
    generation->turn = NULL;
    if (turn != NULL && turn_is_empty(turn) && queue->turns.count > 1) {
        queue_drop_turn(queue, turn);
    }
    core->queued--;
    if (--queue->count > 0) {
        return;
    }
    if (core_link_is_listed(&queue->starved_link)) {
        core_list_remove(&core->starved, &queue->starved_link);
    }
    queue->in_round = false;
    core_deadline_unset(core, &queue->deadline);
}

void core_queue_look_again(struct core *core, struct core_generation *generation) {
    struct core_list *due = &generation->model->queue.due;
    generation->looked = false;
    if (!core_link_is_listed(&generation->due_link)) {
        core_list_push_back(due, &generation->due_link);
    }
    queue_mark_pending(core, generation->model);
}

void core_queue_go_on(struct core *core, struct core_queue *queue) {
    queue_mark_pending(core, CORE_OF(queue, struct core_model, queue));
}

static bool queue_budget_is_left(const struct core *core) {
    uint64_t allowed = (uint64_t)core->fresh * core->config.retry_percent / 100;
    return core->retrying < allowed || core->retrying < core->config.retry_floor;
}

bool core_queue_budget_allows(const struct core *core, const struct core_generation *generation) {
    return generation->started || generation->round == 0 || queue_budget_is_left(core);
}

/* The generation has to wait. It may be gone afterwards, if it has had no attempt: a canary does not wait, and what is
 * free waits only for own devices. */
static void queue_keep(struct core *core, struct core_generation *generation) {
    struct core_model *model = generation->model;
    generation->looked = true;
    if (generation->only_provider != CORE_NO_HANDLE) {
        core_generation_fail(core, generation, CORE_FAILURE_UNPLACEABLE, "its device cannot take it now");
        return;
    }
    const bool own = generation->only_owner != 0;
    if (own && generation->attempts == 0 && !core_place_has_hope(core, generation)) {
        core_generation_fail(core, generation, generation->hold.unpaid, "no device of its account is left");
        return;
    }
    if (!generation->waited && !own) { /* nobody else is made to fetch a model for what is free */
        generation->waited = true;
        core_warm_demand(core, (struct str){.data = model->id, .len = model->id_len});
    }
    if ((own || model->gated[CORE_GATE_NONE] > 0) && core->now_ms + RELOOK_MS < generation->queue_due_ms) {
        core_deadline_set(core, &generation->deadline, core->now_ms + RELOOK_MS);
    }
}

/* Where it can go. What is known of others is enough if it can go nowhere. */
static struct core_offering *queue_place(struct core *core, struct queue_looks *looks,
                                         struct core_generation *generation, uint32_t *first, uint32_t *count) {
    const size_t known = looks->miss_count < QUEUE_MISSES ? looks->miss_count : QUEUE_MISSES;
    struct core_offering *offering = NULL;
    uint32_t costs = 1;
    bool misses = generation->model->gated[CORE_GATE_NONE] == 0 && generation->only_provider == CORE_NO_HANDLE;
    for (size_t i = 0; i < known && !misses; i++) {
        misses = core_place_misses(core, generation, &looks->misses[i]);
    }
    if (!misses) {
        offering = core_place(core, generation, first, count);
        costs = QUEUE_PLACEMENT;
        if (offering == NULL && core->miss.holds) {
            looks->misses[looks->miss_count++ % QUEUE_MISSES] = core->miss;
        }
    }
    if (offering == NULL) {
        looks->left -= costs < looks->left ? costs : looks->left;
    }
    return offering;
}

/* Dispatches the generation if it can go; true: it went. */
static bool queue_try(struct core *core, struct queue_looks *looks, struct core_generation *generation, bool anew) {
    struct core_queue *queue = &generation->model->queue;
    if (core_link_is_listed(&generation->due_link)) {
        core_list_remove(&queue->due, &generation->due_link);
    }
    generation->looked = generation->looked && !anew;
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
    struct core_offering *offering = queue_place(core, looks, generation, &first, &count);
    if (offering == NULL) {
        queue_keep(core, generation);
        return false;
    }
    const uint64_t account = generation->account;
    const bool begun = generation->started;
    core_attempt_start(core, generation, offering, first, count);
    looks->miss_count = 0; /* there may be other reasons now */
    struct core_turn *turn = begun ? NULL : queue_turn(queue, account);
    if (turn != NULL && !turn_is_empty(turn)) { /* it has more: at the end of the line */
        queue_take_turn(queue, turn);
        core_list_push_back(&queue->turns, &turn->link);
    }
    return true;
}

static void queue_begin_round(struct core_queue *queue) {
    queue->anew = queue->look_again;
    queue->look_again = queue->fed = false;
    queue->in_round = true;
    queue->round++;
    queue->begun_seen = &queue->begun.head;
    queue->turn_seen = &queue->turns.head;
}

/* Behind which the round goes on; NULL when it is through with all. */
static struct core_link **queue_next_seen(struct core_queue *queue) {
    if (queue->begun_seen->next != &queue->begun.head) {
        return &queue->begun_seen;
    }
    struct core_link *link;
    while ((link = core_list_next(&queue->turns, queue->turn_seen)) != NULL) {
        struct core_turn *turn = CORE_OF(link, struct core_turn, link);
        if (turn->round != queue->round) {
            turn->round = queue->round;
            turn->again_seen = &turn->again.head;
            turn->generation_seen = &turn->generations.head;
        }
        if (turn->again_seen->next != &turn->again.head) {
            return &turn->again_seen;
        }
        if (turn->generation_seen->next != &turn->generations.head) {
            return &turn->generation_seen;
        }
        queue->turn_seen = link;
    }
    return NULL;
}

static void queue_go_round(struct core *core, struct core_model *model, struct queue_looks *looks) {
    struct core_queue *queue = &model->queue;
    struct core_link **seen = NULL;
    while (looks->left > 0 && model->gated[CORE_GATE_NONE] > 0 && (seen = queue_next_seen(queue)) != NULL) {
        struct core_link *link = (*seen)->next;
        struct core_generation *generation = CORE_OF(link, struct core_generation, link);
        if (!queue_try(core, looks, generation, queue->anew) && generation->state == CORE_GENERATION_QUEUED) {
            *seen = link;
        }
    }
    queue->in_round = looks->left == 0 && model->gated[CORE_GATE_NONE] > 0;
}

static void queue_run(struct core *core, struct core_model *model) {
    struct core_queue *queue = &model->queue;
    struct queue_looks looks = {.left = QUEUE_LOOKS_MOST};
    while (looks.left > 0 && (queue->in_round || queue->look_again || queue->fed)) {
        if (!queue->in_round) {
            queue_begin_round(queue);
        }
        queue_go_round(core, model, &looks);
    }
    struct core_link *link;
    while ((link = core_list_first(&queue->due)) != NULL) {
        struct core_generation *generation = CORE_OF(link, struct core_generation, due_link);
        if (generation->only_provider == CORE_NO_HANDLE && (looks.left == 0 || queue->in_round)) {
            break;
        }
        (void)queue_try(core, &looks, generation, false);
    }
    if (queue->in_round || queue->look_again || queue->fed || queue->due.count > 0) {
        core_deadline_set(core, &queue->deadline, core->now_ms + QUEUE_GOES_ON_MS);
    } else {
        core_deadline_unset(core, &queue->deadline);
    }
}

/* There is room in the retry budget: those that waited for nothing else are looked at. */
static void queue_feed_starved(struct core *core) {
    struct core_link *link;
    while ((link = core_list_first(&core->starved)) != NULL) {
        struct core_model *model = CORE_OF(link, struct core_model, queue.starved_link);
        core_list_remove(&core->starved, link);
        model->queue.fed = true;
        queue_mark_pending(core, model);
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
