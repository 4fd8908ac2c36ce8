#include "store/conversations.h"

#include "base/mem.h"
#include "store/driver.h"
#include "store/run.h"

#include <stdlib.h>
#include <string.h>

enum { CONVERSATION_ARENA_BYTES = 64 * 1024 * 1024 };

/* --- What is written --- */

struct write_task {
    struct store_task task;                  /* first */
    struct store_conversation *conversation; /* owned, its system text behind it; or the one to delete: */
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    bool test;
    void (*on_result)(void *context, const struct err *err);
    void *context;
};

static struct write_task *write_new(const struct store_task_kind *kind,
                                    void (*on_result)(void *context, const struct err *err), void *context) {
    struct write_task *self = MEM_NEW(struct write_task);
    self->task.kind = kind;
    self->on_result = on_result;
    self->context = context;
    return self;
}

static void write_answer(struct store_task *task, const struct err *err) {
    const struct write_task *self = (struct write_task *)task;
    if (self->on_result != NULL) {
        self->on_result(self->context, err);
    }
}

static void write_free(struct store_task *task) {
    free(((struct write_task *)task)->conversation);
    free(task);
}

static bool add_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    return connection->driver->conversations->add(connection, ((struct write_task *)task)->conversation, err);
}

void store_conversation_add(struct store *store, const struct store_conversation *conversation,
                            void (*on_result)(void *context, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = add_write, .answer = write_answer, .free = write_free};
    struct write_task *self = write_new(&kind, on_result, context);
    const struct str system = conversation->system;
    self->conversation = mem_alloc(sizeof(*conversation) + system.len + 1);
    char *copy = (char *)(self->conversation + 1);
    *self->conversation = *conversation;
    if (system.len > 0) {
        memcpy(copy, system.data, system.len);
    }
    self->conversation->system = (struct str){copy, system.len};
    store_task_run(store, &self->task);
}

static bool delete_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    const struct write_task *self = (struct write_task *)task;
    return connection->driver->conversations->remove(connection, self->account_id, self->test, self->id, err);
}

void store_conversation_delete(struct store *store, const char *account_id, bool test, const char *id,
                               void (*on_result)(void *context, const struct err *err), void *context) {
    static const struct store_task_kind kind = {.write = delete_write, .answer = write_answer, .free = write_free};
    struct write_task *self = write_new(&kind, on_result, context);
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(account_id));
    (void)str_copy(self->id, sizeof(self->id), str_from(id));
    self->test = test;
    store_task_run(store, &self->task);
}

/* --- What is read --- */

struct read_task {
    struct store_task task; /* first */
    struct store_conversation_ask ask;
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    struct arena arena;
    struct store_conversation conversation;
    struct store_message_list messages;
    struct store_conversation *rows; /* of a page; owned */
    size_t count;
    union {
        void (*on_result)(void *context, const struct store_conversation *conversation,
                          const struct store_message *messages, size_t count, bool more, const struct err *err);
        void (*on_page)(void *context, const struct store_conversation *conversations, size_t count, bool more,
                        const struct err *err);
    };
    void *context;
};

static struct read_task *read_new(const struct store_task_kind *kind, const struct store_conversation_ask *ask,
                                  void *context) {
    struct read_task *self = MEM_NEW(struct read_task);
    self->task.kind = kind;
    self->ask = *ask;
    (void)str_copy(self->account_id, sizeof(self->account_id), str_from(ask->account_id));
    (void)str_copy(self->id, sizeof(self->id), str_from(ask->id));
    self->ask.account_id = self->account_id;
    self->ask.id = self->id;
    arena_init(&self->arena, CONVERSATION_ARENA_BYTES);
    self->context = context;
    return self;
}

static void read_free(struct store_task *task) {
    struct read_task *self = (struct read_task *)task;
    free(self->messages.items);
    free(self->rows);
    arena_clear(&self->arena);
    free(self);
}

static bool one_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct read_task *self = (struct read_task *)task;
    return connection->driver->conversations->read(connection, &self->ask, &self->arena, &self->conversation,
                                                   &self->messages, err);
}

static void one_answer(struct store_task *task, const struct err *err) {
    const struct read_task *self = (struct read_task *)task;
    self->on_result(self->context, err == NULL ? &self->conversation : NULL, self->messages.items,
                    err == NULL ? self->messages.count : 0, self->messages.more, err);
}

void store_conversation_read(struct store *store, const struct store_conversation_ask *ask,
                             void (*on_result)(void *context, const struct store_conversation *conversation,
                                               const struct store_message *messages, size_t count, bool more,
                                               const struct err *err),
                             void *context) {
    static const struct store_task_kind kind = {.read = one_read, .answer = one_answer, .free = read_free};
    static const struct store_task_kind whole = {
        .read = one_read, .list = true, .answer = one_answer, .free = read_free};
    struct read_task *self = read_new(ask->whole ? &whole : &kind, ask, context);
    self->ask.limit = ask->limit < STORE_MESSAGES_MAX ? ask->limit : STORE_MESSAGES_MAX;
    self->on_result = on_result;
    store_task_run(store, &self->task);
}

/* One row more than asked for, to know whether there are further ones. */
static bool page_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct read_task *self = (struct read_task *)task;
    struct store_conversation_ask ask = self->ask;
    ask.limit++;
    self->rows = mem_calloc(ask.limit, sizeof(*self->rows));
    return connection->driver->conversations->page(connection, &ask, self->rows, &self->count, err);
}

static void page_answer(struct store_task *task, const struct err *err) {
    const struct read_task *self = (struct read_task *)task;
    const bool more = err == NULL && self->count > self->ask.limit;
    self->on_page(self->context, self->rows, err != NULL ? 0 : more ? self->ask.limit : self->count, more, err);
}

void store_conversations_page(struct store *store, const char *account_id, bool test, const char *after, unsigned limit,
                              void (*on_result)(void *context, const struct store_conversation *conversations,
                                                size_t count, bool more, const struct err *err),
                              void *context) {
    static const struct store_task_kind kind = {
        .read = page_read, .list = true, .answer = page_answer, .free = read_free};
    const struct store_conversation_ask ask = {
        .account_id = account_id, .id = after, .test = test, .limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX};
    struct read_task *self = read_new(&kind, &ask, context);
    self->on_page = on_result;
    store_task_run(store, &self->task);
}
