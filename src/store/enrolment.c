#include "store/enrolment.h"

#include "base/mem.h"
#include "store/run.h"
#include "store/state.h"
#include "wire/join_token.h"

#include <stdlib.h>
#include <string.h>

bool store_join_token_add(struct store *store, const struct store_join_token *token, struct err *err) {
    struct store_connection *connection = store_connection_of(store);
    return connection->driver->enrolment->token_add(connection, token, err);
}

/* --- Enrolling --- */

struct enrol_task {
    struct store_task task;                /* first */
    struct store_device candidate, device; /* the answer */
    bool token_given, token_known;
    uint8_t token_sha256[DIGEST_SHA256_SIZE];
    struct store_join_token token;
    int64_t now_ms;
    struct err refusal; /* ERR_NONE: none */
    void (*on_result)(void *context, const struct store_device *device, const struct err *err);
    void *context;
};

/* An answer like any other: nothing has failed. */
static bool refuse(struct enrol_task *self, const char *why) {
    (void)err_set(&self->refusal, ERR_DENIED, "%s", why);
    return true;
}

static bool token_is_good(const struct enrol_task *self) {
    const struct store_join_token *token = &self->token;
    return self->token_known && token->uses > 0 && token->revoked_ms == 0 && token->expires_ms > self->now_ms;
}

/* Why this device may not serve, with whatever token; NULL: it may. */
static const char *barred(const struct store_device *device) {
    return device->standing == STORE_STANDING_REMOVED
               ? "this device was removed from the network: its key is refused for good"
           : device->suspended ? "the account of this device is suspended"
                               : NULL;
}

static bool move(struct enrol_task *self, struct store_connection *connection, struct err *err) {
    const struct store_enrolment_rows *rows = connection->driver->enrolment;
    if (!token_is_good(self) || self->token.device_id[0] != '\0') {
        return refuse(
            self, "this device is enrolled already, and the join token is not good for it: leave --join out, or ask "
                  "for another one");
    }
    if (self->token.suspended) {
        return refuse(self, "the account of this join token is suspended");
    }
    self->task.idle = false;
    return rows->move(connection, self->device.id, self->token.account_id, err) &&
           rows->token_use(connection, self->token_sha256, err) &&
           rows->by_id(connection, self->device.id, &self->device, err);
}

/* The token speaks of what the device is already. */
static bool says_the_same(const struct enrol_task *self) {
    const struct store_join_token *token = &self->token;
    return token->device_id[0] != '\0' ? strcmp(token->device_id, self->device.id) == 0
                                       : strcmp(token->account_id, self->device.account_id) == 0;
}

static bool come_back(struct enrol_task *self, struct store_connection *connection, struct err *err) {
    const char *why = barred(&self->device);
    if (why != NULL) {
        return refuse(self, why);
    }
    if (!self->token_given || (self->token_known && says_the_same(self))) {
        return true;
    }
    return move(self, connection, err);
}

static bool take_key(struct enrol_task *self, struct store_connection *connection, struct err *err) {
    const struct store_enrolment_rows *rows = connection->driver->enrolment;
    if (!rows->by_id(connection, self->token.device_id, &self->device, err)) {
        return false;
    }
    const char *why = barred(&self->device);
    if (why == NULL && strcmp(self->token.account_id, self->device.account_id) != 0) {
        why = "the device of this join token belongs to another account by now";
    }
    if (why != NULL) {
        return refuse(self, why);
    }
    self->task.idle = false;
    return rows->replace_key(connection, self->device.id, self->candidate.public_key, self->now_ms, err) &&
           rows->token_use(connection, self->token_sha256, err) &&
           rows->by_id(connection, self->device.id, &self->device, err);
}

static bool come_new(struct enrol_task *self, struct store_connection *connection, struct err *err) {
    const struct store_enrolment_rows *rows = connection->driver->enrolment;
    bool replaced;
    if (!rows->key_was_replaced(connection, self->device.public_key, &replaced, err)) {
        return false;
    }
    if (replaced) {
        return refuse(self, "the key of this device was replaced by another one, and is refused for good");
    }
    if (!token_is_good(self)) {
        return refuse(self, "unknown device and no valid join token");
    }
    if (self->token.suspended) {
        return refuse(self, "the account of this join token is suspended");
    }
    if (self->token.device_id[0] != '\0') {
        return take_key(self, connection, err);
    }
    (void)str_copy(self->device.account_id, sizeof(self->device.account_id), str_from(self->token.account_id));
    if (!rows->add(connection, &self->device, err)) {
        return false; /* a refusal does not end the transaction, so the token is used only now */
    }
    self->task.idle = false;
    return rows->token_use(connection, self->token_sha256, err) &&
           rows->by_id(connection, self->device.id, &self->device, err);
}

static bool enrol_write(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct enrol_task *self = (struct enrol_task *)task;
    const struct store_enrolment_rows *rows = connection->driver->enrolment;
    struct store_device known;
    bool found;
    self->task.idle = true;
    err_clear(&self->refusal);
    self->device = self->candidate;
    if ((self->token_given &&
         !rows->token_find(connection, self->token_sha256, &self->token, &self->token_known, err)) ||
        !rows->find(connection, self->device.public_key, &known, &found, err)) {
        return false;
    }
    if (!found) {
        return come_new(self, connection, err);
    }
    self->device = known;
    return come_back(self, connection, err);
}

static void enrol_answer(struct store_task *task, const struct err *err) {
    const struct enrol_task *self = (struct enrol_task *)task;
    const struct err *why = err != NULL ? err : self->refusal.code != ERR_NONE ? &self->refusal : NULL;
    self->on_result(self->context, why == NULL ? &self->device : NULL, why);
}

void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context) {
    static const struct store_task_kind kind = {.write = enrol_write, .answer = enrol_answer};
    struct enrol_task *self = MEM_NEW(struct enrol_task);
    self->task.kind = &kind;
    self->candidate = *candidate;
    self->now_ms = candidate->created_ms;
    memcpy(self->candidate.public_key, public_key, ED25519_KEY_SIZE);
    self->token_given = token.len > 0;
    join_token_hash(token, self->token_sha256); /* one that is none is nobody's */
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}

/* --- Pages of tokens: one row more than asked for, to know whether there are further ones --- */

struct tokens_task {
    struct store_task task; /* first */
    char after[STORE_ID_MAX];
    size_t limit, count;
    struct store_join_token *tokens; /* owned */
    void (*on_result)(void *context, const struct store_join_token *tokens, size_t count, bool more,
                      const struct err *err);
    void *context;
};

static bool tokens_read(struct store_task *task, struct store_connection *connection, struct err *err) {
    struct tokens_task *self = (struct tokens_task *)task;
    self->tokens = mem_calloc(self->limit + 1, sizeof(*self->tokens));
    return connection->driver->enrolment->token_page(connection, self->after, self->limit + 1, self->tokens,
                                                     &self->count, err);
}

static void tokens_answer(struct store_task *task, const struct err *err) {
    const struct tokens_task *self = (struct tokens_task *)task;
    const bool more = err == NULL && self->count > self->limit;
    self->on_result(self->context, self->tokens, err != NULL ? 0 : more ? self->limit : self->count, more, err);
}

static void tokens_free(struct store_task *task) {
    struct tokens_task *self = (struct tokens_task *)task;
    free(self->tokens);
    free(self);
}

void store_join_tokens_read(struct store *store, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_join_token *tokens, size_t count,
                                              bool more, const struct err *err),
                            void *context) {
    static const struct store_task_kind kind = {
        .read = tokens_read, .list = true, .answer = tokens_answer, .free = tokens_free};
    struct tokens_task *self = MEM_NEW(struct tokens_task);
    self->task.kind = &kind;
    (void)str_copy(self->after, sizeof(self->after), str_from(after));
    self->limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX;
    self->on_result = on_result;
    self->context = context;
    store_task_run(store, &self->task);
}
