#include "store/turns.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"

#include <stdlib.h>
#include <string.h>

static struct str text_copy(char **at, struct str text) {
    char *copy = *at;
    if (text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    *at += text.len;
    return (struct str){copy, text.len};
}

struct store_turn *store_turn_copy(const struct store_turn *turn) {
    const size_t rows = turn->message_count * sizeof(*turn->messages);
    size_t bytes = turn->text.len;
    for (size_t i = 0; i < turn->message_count; i++) {
        bytes += turn->messages[i].content.len;
    }
    struct store_turn *copy = mem_alloc(sizeof(*copy) + rows + bytes);
    struct store_message *messages = (struct store_message *)(copy + 1);
    char *at = (char *)messages + rows;
    *copy = *turn;
    copy->text = text_copy(&at, turn->text);
    for (size_t i = 0; i < turn->message_count; i++) {
        messages[i] = turn->messages[i];
        messages[i].content = text_copy(&at, turn->messages[i].content);
    }
    copy->messages = messages;
    return copy;
}

struct turn_task {
    struct store_task task;  /* first */
    struct store_turn *turn; /* owned */
    void (*on_durable)(void *context, const struct err *err);
    void *context;
};

static bool turn_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->turns->keep(connection, ((struct turn_task *)task)->turn, err);
}

static void turn_answer(struct store_task *task, const struct err *err) {
    const struct turn_task *self = (struct turn_task *)task;
    if (self->on_durable != NULL) {
        self->on_durable(self->context, err);
    }
}

static void turn_free(struct store_task *task) {
    free(((struct turn_task *)task)->turn);
    free(task);
}

void store_turn_keep(struct store *store, const struct store_turn *turn,
                     void (*on_durable)(void *context, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = turn_write, .answer = turn_answer, .free = turn_free};
    struct turn_task *self = MEM_NEW(struct turn_task);
    self->task.kind = &kind;
    self->turn = store_turn_copy(turn);
    self->on_durable = on_durable;
    self->context = context;
    store_task_run(store, &self->task);
}
