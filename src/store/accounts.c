#include "store/accounts.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"

#include <stdlib.h>
#include <string.h>

/* --- Synchronous --- */

bool store_account_add(struct store *store, const struct store_account *account, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->accounts->add(connection, account, err);
}

bool store_account_owner(struct store *store, struct store_account *out, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->accounts->owner(connection, out, err);
}

bool store_key_add(struct store *store, const struct store_key *key, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->accounts->key_add(connection, key, err);
}

bool store_each_account(struct store *store, bool (*row)(void *context, const struct store_account *account),
                        void *context, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->accounts->each(connection, row, context, err);
}

bool store_each_key(struct store *store, bool (*row)(void *context, const struct store_key *key), void *context,
                    struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->accounts->key_each(connection, row, context, err);
}

/* --- One key --- */

struct key_task {
    struct store_task task; /* first */
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct store_key key;
    bool found;
    void (*on_result)(void *context, const struct store_key *key, const struct err *err);
    void *context;
};

/* The writer looks, because it sees at once what another process has committed. */
static bool key_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct key_task *self = (struct key_task *)task;
    self->task.idle = true;
    return connection->driver->accounts->key_find(connection, self->sha256, &self->key, &self->found, err);
}

static void key_answer(struct store_task *task, const struct err *err) {
    const struct key_task *self = (struct key_task *)task;
    self->on_result(self->context, err == NULL && self->found ? &self->key : NULL, err);
}

void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE],
                    void (*on_result)(void *context, const struct store_key *key, const struct err *err),
                    void *context) {
    static const struct store_task_kind kind = {.write = key_write, .answer = key_answer};
    struct key_task *self = MEM_NEW(struct key_task);
    self->task.kind = &kind;
    memcpy(self->sha256, sha256, DIGEST_SHA256_SIZE);
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Pages: one row more than asked for, to know whether there are further ones --- */

struct page_task {
    struct store_task task; /* first */
    char id[STORE_ID_MAX], after[STORE_ID_MAX];
    size_t limit, count;
    struct store_account *accounts; /* owned; of the one kind, or */
    struct store_key *keys;         /* owned; of the other */
    union {
        void (*on_accounts)(void *context, const struct store_account *accounts, size_t count, bool more,
                            const struct err *err);
        void (*on_keys)(void *context, const struct store_key *keys, size_t count, bool more, const struct err *err);
    };
    void *context;
};

static struct page_task *page_new(const struct store_task_kind *kind, const char *id, const char *after, unsigned limit,
                                  void *context) {
    struct page_task *self = MEM_NEW(struct page_task);
    self->task.kind = kind;
    (void)str_copy(self->id, sizeof(self->id), str_from(id));
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->context = context;
    return self;
}

static void page_free(struct store_task *task) {
    struct page_task *self = (struct page_task *)task;
    free(self->accounts);
    free(self->keys);
    free(self);
}

/* How many rows are told, and whether there are more. */
static size_t page_told(const struct page_task *self, const struct err *err, bool *more) {
    *more = err == NULL && self->count > self->limit;
    return err != NULL ? 0 : *more ? self->limit : self->count;
}

static bool accounts_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    self->accounts = mem_calloc(self->limit + 1, sizeof(*self->accounts));
    return connection->driver->accounts->page(connection, self->id, self->after, self->limit + 1, self->accounts,
                                              &self->count, err);
}

static void accounts_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    bool more;
    const size_t count = page_told(self, err, &more);
    self->on_accounts(self->context, self->accounts, count, more, err);
}

void store_accounts_read(struct store *store, const char *id, const char *after, unsigned limit,
                         void (*on_result)(void *context, const struct store_account *accounts, size_t count, bool more,
                                           const struct err *err),
                         void *context) {
    static const struct store_task_kind kind = {
        .read = accounts_read, .list = true, .answer = accounts_answer, .free = page_free};
    struct page_task *self = page_new(&kind, id, after, limit, context);
    self->on_accounts = on_result;
    store_task_run(store, &self->task);
}

static bool keys_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct page_task *self = (struct page_task *)task;
    self->keys = mem_calloc(self->limit + 1, sizeof(*self->keys));
    return connection->driver->accounts->key_page(connection, self->id, self->after, self->limit + 1, self->keys,
                                                  &self->count, err);
}

static void keys_answer(struct store_task *task, const struct err *err) {
    const struct page_task *self = (struct page_task *)task;
    bool more;
    const size_t count = page_told(self, err, &more);
    self->on_keys(self->context, self->keys, count, more, err);
}

void store_keys_read(struct store *store, const char *account_id, const char *after, unsigned limit,
                     void (*on_result)(void *context, const struct store_key *keys, size_t count, bool more,
                                       const struct err *err),
                     void *context) {
    static const struct store_task_kind kind = {
        .read = keys_read, .list = true, .answer = keys_answer, .free = page_free};
    struct page_task *self = page_new(&kind, account_id, after, limit, context);
    self->on_keys = on_result;
    store_task_run(store, &self->task);
}
