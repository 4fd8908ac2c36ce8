#include "net/lookup_queue.h"

#include "base/mem.h"

#include <stdlib.h>
#include <uthash.h>
#include <utlist.h>

enum { LOOKUP_OWNERS_MAX = 4096 /* that are remembered as slow */ };

struct lookup_owner {
    UT_hash_handle hh;
    uint64_t number;
    struct lookup_turn *waiting;
    unsigned running;
    bool slow;
    struct lookup_owner *prev, *next; /* of those with a turn that waits */
};

struct lookup_turn {
    struct lookup_queue *queue;
    struct lookup_owner *owner;
    char *host; /* owned */
    address_allowed *allowed;
    void (*on_result)(void *context, const char *addresses, const struct err *err); /* NULL: cancelled */
    void *context;
    bool running, as_slow; /* it has one of the threads, of the slow owners' */
    uint64_t began_ms;
    struct lookup_turn *prev, *next;
};

struct lookup_queue {
    struct loop *loop;
    struct lookup_owner *owners, *ready;
    unsigned running, slow_running, slow_ms;
    bool closed;
};

void lookup_queue_prepare(void) {
    /* libuv gives look-ups half of its threads, rounded up (uv__slow_work_thread_threshold). */
    (void)setenv("UV_THREADPOOL_SIZE", "32", 0);
    (void)setenv("RES_OPTIONS", "timeout:2 attempts:2", 0);
}

struct lookup_queue *lookup_queue_new(struct loop *loop, unsigned slow_ms) {
    struct lookup_queue *queue = MEM_NEW(struct lookup_queue);
    queue->slow_ms = slow_ms;
    queue->loop = loop;
    return queue;
}

static void owner_free(struct lookup_queue *queue, struct lookup_owner *owner) {
    HASH_DEL(queue->owners, owner);
    free(owner);
}

static void queue_free_if_done(struct lookup_queue *queue) {
    struct lookup_owner *owner, *next;
    if (!queue->closed || queue->running > 0) {
        return;
    }
    owner = queue->owners;
    HASH_CLEAR(hh, queue->owners); /* the table; the owners are still in a row */
    for (; owner != NULL; owner = next) {
        next = owner->hh.next;
        free(owner);
    }
    free(queue);
}

void lookup_queue_free(struct lookup_queue *queue) {
    if (queue != NULL) {
        queue->closed = true;
        queue_free_if_done(queue);
    }
}

static struct lookup_owner *owner_get(struct lookup_queue *queue, uint64_t number) {
    struct lookup_owner *owner;
    HASH_FIND(hh, queue->owners, &number, sizeof(number), owner);
    if (owner == NULL) {
        owner = MEM_NEW(struct lookup_owner);
        owner->number = number;
        HASH_ADD(hh, queue->owners, number, sizeof(owner->number), owner);
    }
    return owner;
}

static void owner_forget_if_idle(struct lookup_queue *queue, struct lookup_owner *owner) {
    const bool idle = owner->waiting == NULL && owner->running == 0;
    if (idle && (!owner->slow || HASH_COUNT(queue->owners) > LOOKUP_OWNERS_MAX)) {
        owner_free(queue, owner);
    }
}

static void turn_free(struct lookup_turn *turn) {
    free(turn->host);
    free(turn);
}

static void turn_leave_waiting(struct lookup_turn *turn) {
    struct lookup_owner *owner = turn->owner;
    DL_DELETE(owner->waiting, turn);
    if (owner->waiting == NULL) {
        DL_DELETE(turn->queue->ready, owner);
    }
}

static bool owner_may_run(const struct lookup_queue *queue, const struct lookup_owner *owner) {
    return owner->running < LOOKUPS_OF_OWNER && (!owner->slow || queue->slow_running < LOOKUPS_SLOW);
}

static void on_addresses(void *context, const char *addresses, const struct err *err);

static void owner_run_one(struct lookup_queue *queue, struct lookup_owner *owner) {
    struct lookup_turn *turn = owner->waiting;
    turn_leave_waiting(turn);
    turn->running = true;
    turn->as_slow = owner->slow;
    turn->began_ms = loop_now_ms(queue->loop);
    owner->running++;
    queue->running++;
    queue->slow_running += turn->as_slow ? 1 : 0;
    (void)address_lookup_start(queue->loop, turn->host, turn->allowed, on_addresses, turn);
    if (owner->waiting != NULL) { /* behind all others */
        DL_DELETE(queue->ready, owner);
        DL_APPEND(queue->ready, owner);
    }
}

static void queue_run(struct lookup_queue *queue) {
    bool more = true;
    while (more) {
        struct lookup_owner *owner, *next;
        more = false;
        DL_FOREACH_SAFE (queue->ready, owner, next) {
            if (queue->running < LOOKUPS_AT_ONCE && owner_may_run(queue, owner)) {
                owner_run_one(queue, owner);
                more = true;
            }
        }
    }
}

static void on_addresses(void *context, const char *addresses, const struct err *err) {
    const struct lookup_turn turn = *(const struct lookup_turn *)context;
    struct lookup_queue *queue = turn.queue;
    turn_free(context);
    turn.owner->running--;
    queue->running--;
    queue->slow_running -= turn.as_slow ? 1 : 0;
    turn.owner->slow = loop_now_ms(queue->loop) - turn.began_ms >= queue->slow_ms;
    owner_forget_if_idle(queue, turn.owner);
    queue_run(queue);
    queue_free_if_done(queue);
    if (turn.on_result != NULL) {
        turn.on_result(turn.context, addresses, err);
    }
}

struct lookup_turn *lookup_queue_ask(struct lookup_queue *queue, uint64_t owner, const char *host,
                                     address_allowed *allowed,
                                     void (*on_result)(void *context, const char *addresses, const struct err *err),
                                     void *context) {
    struct lookup_turn *turn = MEM_NEW(struct lookup_turn);
    *turn = (struct lookup_turn){.queue = queue,
                                 .owner = owner_get(queue, owner),
                                 .host = mem_strdup(host),
                                 .allowed = allowed,
                                 .on_result = on_result,
                                 .context = context};
    if (turn->owner->waiting == NULL) {
        DL_APPEND(queue->ready, turn->owner);
    }
    DL_APPEND(turn->owner->waiting, turn);
    queue_run(queue);
    return turn;
}

void lookup_turn_cancel(struct lookup_turn *turn) {
    if (turn->running) {
        turn->on_result = NULL; /* its thread goes on, and counts until it ends */
        return;
    }
    turn_leave_waiting(turn);
    owner_forget_if_idle(turn->queue, turn->owner);
    turn_free(turn);
}
