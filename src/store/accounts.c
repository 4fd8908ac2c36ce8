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

static bool account_of(struct store_connection *connection, const struct store_key *key, struct store_account *out,
                       struct err *err) {
    size_t count;
    return connection->driver->accounts->page(connection, key->account_id, "", 1, out, &count, err) &&
           (count == 1 || err_set(err, ERR_INTERNAL, "The account of the key %s is gone", key->id));
}

struct open_keys {
    struct store_connection *connection;
    bool (*row)(void *context, const struct store_key *key, const struct store_account *account);
    void *context;
    struct err *err;
    bool failed;
};

static bool each_open_key(void *context, const struct store_key *key) {
    struct open_keys *keys = context;
    struct store_account account;
    keys->failed = !account_of(keys->connection, key, &account, keys->err);
    return !keys->failed && keys->row(keys->context, key, &account);
}

bool store_each_open_key(struct store *store,
                         bool (*row)(void *context, const struct store_key *key, const struct store_account *account),
                         void *context, struct err *err) {
    struct open_keys keys = {.connection = store_connection_of(store), .row = row, .context = context, .err = err};
    return keys.connection->driver->accounts->key_open_each(keys.connection, each_open_key, &keys, err) && !keys.failed;
}

/* --- One key --- */

struct key_task {
    struct store_task task; /* first */
    uint8_t sha256[DIGEST_SHA256_SIZE];
    struct store_key key;
    struct store_account account;
    bool found;
    store_key_found *on_result;
    void *context;
};

/* The writer looks: what the operator changes about the account comes either before or after it. */
static bool key_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct key_task *self = (struct key_task *)task;
    self->task.idle = true;
    return connection->driver->accounts->key_find(connection, self->sha256, &self->key, &self->found, err) &&
           (!self->found || account_of(connection, &self->key, &self->account, err));
}

static void key_answer(struct store_task *task, const struct err *err) {
    const struct key_task *self = (struct key_task *)task;
    const bool found = err == NULL && self->found;
    self->on_result(self->context, found ? &self->key : NULL, found ? &self->account : NULL, err);
}

void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE], store_key_found *on_result,
                    void *context) {
    static const struct store_task_kind kind = {.write = key_write, .answer = key_answer};
    struct key_task *self = MEM_NEW(struct key_task);
    self->task.kind = &kind;
    memcpy(self->sha256, sha256, DIGEST_SHA256_SIZE);
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- The hashes of all keys --- */

struct hashes_task {
    struct store_task task; /* first */
    uint8_t after[DIGEST_SHA256_SIZE];
    size_t limit;
    struct store_key_hashes hashes; /* owned */
    void (*on_result)(void *context, const struct store_key_hashes *hashes, const struct err *err);
    void *context;
};

static bool hashes_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct hashes_task *self = (struct hashes_task *)task;
    self->hashes.sha256 = mem_calloc(self->limit, sizeof(*self->hashes.sha256));
    return connection->driver->accounts->key_hashes(connection, self->after, self->limit, &self->hashes, err);
}

static void hashes_answer(struct store_task *task, const struct err *err) {
    const struct hashes_task *self = (struct hashes_task *)task;
    self->on_result(self->context, err == NULL ? &self->hashes : NULL, err);
}

static void hashes_free(struct store_task *task) {
    struct hashes_task *self = (struct hashes_task *)task;
    free(self->hashes.sha256);
    free(self);
}

void store_key_hashes_read(struct store *store, const uint8_t after[DIGEST_SHA256_SIZE], size_t limit,
                           void (*on_result)(void *context, const struct store_key_hashes *hashes,
                                             const struct err *err),
                           void *context) {
    static const struct store_task_kind kind = {
        .read = hashes_read, .list = true, .answer = hashes_answer, .free = hashes_free};
    struct hashes_task *self = MEM_NEW(struct hashes_task);
    self->task.kind = &kind;
    memcpy(self->after, after, DIGEST_SHA256_SIZE);
    self->limit = limit;
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
