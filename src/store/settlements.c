#include "store/settlements.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"
#include "store/turns.h"

#include <stdlib.h>
#include <string.h>

/* The hot path of the store: one allocation, and one more for each of what most have not. */
struct settle_task {
    struct store_task task;             /* first */
    struct store_settlement settlement; /* what it points to is owned */
    void (*on_durable)(void *context, const struct err *err);
    void *context;
};

static bool settle_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->settlements->settle(connection, &((struct settle_task *)task)->settlement, err);
}

static void settle_answer(struct store_task *task, const struct err *err) {
    const struct settle_task *self = (struct settle_task *)task;
    if (self->on_durable != NULL) {
        self->on_durable(self->context, err);
    }
}

static void settle_free(struct store_task *task) {
    struct settle_task *self = (struct settle_task *)task;
    if (self->settlement.answer != NULL) {
        free((void *)(uintptr_t)self->settlement.answer->also);
    }
    free((void *)(uintptr_t)self->settlement.answer);
    free((void *)(uintptr_t)self->settlement.parts);
    free((void *)(uintptr_t)self->settlement.turn);
    free((void *)(uintptr_t)self->settlement.receipt.data);
    free(self);
}

/* One block, the content behind the struct. */
static struct store_answer *answer_copy(const struct store_answer *answer) {
    struct store_answer *copy = mem_alloc(sizeof(*copy) + answer->content.len + 1);
    char *content = (char *)(copy + 1);
    *copy = *answer;
    if (answer->content.len > 0) {
        memcpy(content, answer->content.data, answer->content.len);
    }
    content[answer->content.len] = '\0';
    copy->content.data = content;
    return copy;
}

static struct store_part *parts_copy(const struct store_part *parts, size_t count) {
    struct store_part *copy = mem_alloc(count * sizeof(*copy));
    memcpy(copy, parts, count * sizeof(*copy));
    return copy;
}

static struct str receipt_copy(struct str receipt) {
    char *copy = receipt.len > 0 ? mem_alloc(receipt.len) : NULL;
    if (copy != NULL) {
        memcpy(copy, receipt.data, receipt.len);
    }
    return (struct str){copy, receipt.len};
}

void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = settle_write, .answer = settle_answer, .free = settle_free};
    struct settle_task *self = mem_alloc(sizeof(*self));
    struct store_settlement *copy = &self->settlement;
    self->task = (struct store_task){.kind = &kind};
    self->on_durable = on_durable;
    self->context = context;
    *copy = *settlement;
    if (settlement->answer != NULL) {
        struct store_answer *answer = answer_copy(settlement->answer);
        answer->also = answer->also != NULL ? answer_copy(answer->also) : NULL;
        copy->answer = answer;
    }
    if (settlement->turn != NULL) {
        copy->turn = store_turn_copy(settlement->turn);
    }
    copy->receipt = receipt_copy(settlement->receipt);
    copy->parts = settlement->part_count > 0 ? parts_copy(settlement->parts, settlement->part_count) : NULL;
    store_writer_tell_time(&store->writer, settlement->generation.created_ms);
    store_task_run(store, &self->task);
}
