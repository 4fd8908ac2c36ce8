/* The loop's side of the store: requests on their way to a thread, and their answers. */
#include "base/mem.h"
#include "store/internal.h"
#include "wire/join_token.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { STORE_READS_MAX = 4096 }; /* questions that may wait for the reader */

void store_list_init(struct store_list *list) {
    list->first = NULL;
    list->end = &list->first;
}

void store_list_append(struct store_list *list, struct store_request *request) {
    request->next = NULL;
    *list->end = request;
    list->end = &request->next;
}

void store_list_move(struct store_list *to, struct store_list *from) {
    if (from->first != NULL) {
        *to->end = from->first;
        to->end = from->end;
        store_list_init(from);
    }
}

/* --- For the threads --- */

bool store_lane_take(struct store *store, struct store_lane *lane, struct store_list *list) {
    uv_mutex_lock(&store->mutex);
    while (lane->waiting.first == NULL && !store->closing) {
        lane->sleeps = true;
        uv_cond_wait(&lane->work, &store->mutex);
    }
    lane->sleeps = false;
    store_list_move(list, &lane->waiting);
    uv_mutex_unlock(&store->mutex);
    return list->first != NULL;
}

void store_lane_done(struct store *store, struct store_list *list) {
    uv_mutex_lock(&store->mutex);
    store_list_move(&store->done, list);
    uv_mutex_unlock(&store->mutex);
    uv_async_send(store->wake);
}

/* --- Answers --- */

void store_request_fail(struct store_request *request, const struct err *err) {
    if (request->err == NULL) {
        request->err = MEM_NEW(struct err);
    }
    *request->err = *err;
}

static void store_answer_read(struct store_request *request, bool ok, bool found) {
    switch (request->kind) {
    case STORE_REQUEST_ANSWER:
        request->on_answer(request->context, found ? &request->answer : NULL, request->err);
        return;
    case STORE_REQUEST_USAGE:
        request->on_usage(request->context, ok ? &request->usage : NULL, request->err);
        return;
    case STORE_REQUEST_PAGE:
        request->on_page(request->context, request->jobs, request->job_count, request->more, request->err);
        return;
    case STORE_REQUEST_EARNINGS:
        request->on_earnings(request->context, ok ? &request->earnings : NULL, request->err);
        return;
    case STORE_REQUEST_ADMIN_READ:
        store_admin_read_answer(request->admin_read, request->context, request->err);
        return;
    case STORE_REQUEST_TASK_READ:
        request->task->answer(request->task, request->err);
        return;
    case STORE_REQUEST_SETTLE:
    case STORE_REQUEST_ENROL:
    case STORE_REQUEST_KEY:
    case STORE_REQUEST_ADMIN:
    case STORE_REQUEST_RECORD:
    case STORE_REQUEST_REVIEW:
    case STORE_REQUEST_TASK_WRITE:
        return;
    }
}

static void store_request_answer(struct store *store, struct store_request *request) {
    if (request->broke && store->on_broken != NULL) {
        store->on_broken(store->on_broken_context, request->err);
    }
    bool ok = request->err == NULL, found = request->found && ok;
    switch (request->kind) {
    case STORE_REQUEST_SETTLE:
        if (request->on_durable != NULL) {
            request->on_durable(request->context, request->err);
        }
        return;
    case STORE_REQUEST_ENROL:
        request->on_device(request->context, found ? &request->device : NULL, request->err);
        return;
    case STORE_REQUEST_KEY:
        request->on_key(request->context, found ? &request->key : NULL, request->err);
        return;
    case STORE_REQUEST_ADMIN:
        request->on_admin(request->context, ok ? &request->admin->result : NULL, request->err);
        return;
    case STORE_REQUEST_RECORD:
    case STORE_REQUEST_REVIEW:
        return; /* nobody waits */
    case STORE_REQUEST_TASK_WRITE:
        request->task->answer(request->task, request->err);
        return;
    case STORE_REQUEST_ANSWER:
    case STORE_REQUEST_USAGE:
    case STORE_REQUEST_PAGE:
    case STORE_REQUEST_EARNINGS:
    case STORE_REQUEST_ADMIN_READ:
    case STORE_REQUEST_TASK_READ:
        store_answer_read(request, ok, found);
        return;
    }
}

static void store_request_free(struct store_request *request) {
    switch (request->kind) {
    case STORE_REQUEST_SETTLE:
        free((void *)(uintptr_t)request->settlement.answer);
        free((void *)(uintptr_t)request->settlement.parts);
        free((void *)(uintptr_t)request->settlement.turn);
        break;
    case STORE_REQUEST_ADMIN:
        free(request->admin);
        break;
    case STORE_REQUEST_ANSWER:
        free((void *)(uintptr_t)request->answer.content.data);
        break;
    case STORE_REQUEST_USAGE:
        free((void *)(uintptr_t)request->usage.models);
        break;
    case STORE_REQUEST_PAGE:
        free(request->jobs);
        break;
    case STORE_REQUEST_ADMIN_READ:
        store_admin_read_free(request->admin_read);
        break;
    case STORE_REQUEST_ENROL:
    case STORE_REQUEST_KEY:
    case STORE_REQUEST_RECORD:
    case STORE_REQUEST_REVIEW:
    case STORE_REQUEST_EARNINGS:
    case STORE_REQUEST_TASK_WRITE:
    case STORE_REQUEST_TASK_READ:
        break;
    }
    free(request->err);
    free(request);
}

static bool store_request_is_read(const struct store_request *request) {
    return request->kind >= STORE_REQUEST_ANSWER;
}

void store_deliver(struct store *store) {
    struct store_list done;
    store_list_init(&done);
    uv_mutex_lock(&store->mutex);
    store_list_move(&done, &store->done);
    uv_mutex_unlock(&store->mutex);
    for (struct store_request *request = done.first, *next; request != NULL; request = next) {
        next = request->next;
        store->reads -= store_request_is_read(request);
        store_request_answer(store, request);
        store_request_free(request);
        if (--store->outstanding == 0) {
            uv_unref((uv_handle_t *)store->wake);
        }
    }
    if (atomic_exchange_explicit(&store->deliveries_added, false, memory_order_relaxed)) {
        store_deliveries_changed(store, 0);
    }
}

/* --- Requests --- */

struct store_request *store_request_new(enum store_request_kind kind, void *context) {
    struct store_request *request = (struct store_request *)mem_alloc(sizeof(*request));
    request->kind = kind;
    request->found = request->broke = false;
    request->err = NULL;
    request->context = context;
    return request;
}

/* Answers without a thread, but not before the caller has returned. */
static void store_request_refuse(struct store *store, struct store_request *request) {
    struct err err;
    if (store->closed_to_requests) {
        err_set(&err, ERR_CLOSED, "The store is being closed");
    } else {
        err_set(&err, ERR_UNAVAILABLE, "Too many requests wait for the database");
    }
    store_request_fail(request, &err);
    struct store_list one;
    store_list_init(&one);
    store_list_append(&one, request);
    store_lane_done(store, &one);
}

void store_request_queue(struct store *store, struct store_request *request) {
    assert(store->started);
    bool read = store_request_is_read(request);
    struct store_lane *lane = read ? &store->reader : &store->writer;
    if (store->outstanding++ == 0) {
        uv_ref((uv_handle_t *)store->wake);
    }
    store->reads += read;
    bool full = read ? store->reads > STORE_READS_MAX : store->outstanding - store->reads > STORE_QUEUE_MAX;
    if (full || store->closed_to_requests) {
        store_request_refuse(store, request);
        return;
    }
    uv_mutex_lock(&store->mutex);
    store_list_append(&lane->waiting, request);
    bool sleeps = lane->sleeps;
    lane->sleeps = false;
    uv_mutex_unlock(&store->mutex);
    if (sleeps) { /* one wake-up a group: it costs a system call */
        uv_cond_signal(&lane->work);
    }
}

void store_tell_time(struct store *store, int64_t now_ms) {
    if (now_ms > atomic_load_explicit(&store->now_ms, memory_order_relaxed)) { /* only the loop's thread writes it */
        atomic_store_explicit(&store->now_ms, now_ms, memory_order_relaxed);
    }
}

/* One block, the content behind the struct. */
static struct store_answer *store_answer_copy(const struct store_answer *answer) {
    struct store_answer *copy = (struct store_answer *)mem_alloc(sizeof(*copy) + answer->content.len + 1);
    char *content = (char *)(copy + 1);
    *copy = *answer;
    if (answer->content.len > 0) {
        memcpy(content, answer->content.data, answer->content.len);
    }
    content[answer->content.len] = '\0';
    copy->content.data = content;
    return copy;
}

void store_settle(struct store *store, const struct store_settlement *settlement,
                  void (*on_durable)(void *context, const struct err *err), void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_SETTLE, context);
    request->on_durable = on_durable;
    request->settlement = *settlement;
    if (settlement->answer != NULL) {
        request->settlement.answer = store_answer_copy(settlement->answer);
    }
    if (settlement->turn != NULL) {
        request->settlement.turn = store_turn_copy(settlement->turn);
    }
    request->settlement.parts = NULL;
    if (settlement->part_count > 0) {
        const size_t size = settlement->part_count * sizeof(*settlement->parts);
        struct store_part *parts = (struct store_part *)mem_alloc(size);
        memcpy(parts, settlement->parts, size);
        request->settlement.parts = parts;
    }
    store_tell_time(store, settlement->job.created_ms);
    store_request_queue(store, request);
}

void store_device_enrol(struct store *store, const uint8_t public_key[ED25519_KEY_SIZE], struct str token,
                        const struct store_device *candidate,
                        void (*on_result)(void *context, const struct store_device *device, const struct err *err),
                        void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_ENROL, context);
    request->on_device = on_result;
    request->device = *candidate;
    memcpy(request->device.public_key, public_key, ED25519_KEY_SIZE);
    request->token_given = join_token_check(token);
    if (request->token_given) {
        join_token_hash(token, request->token_sha256);
    }
    store_request_queue(store, request);
}

void store_record_keep(struct store *store, const char *device_id, const struct store_record *record) {
    struct store_request *request = store_request_new(STORE_REQUEST_RECORD, NULL);
    str_copy(request->device.id, sizeof(request->device.id), str_from(device_id));
    request->device.record = *record;
    store_request_queue(store, request);
}

void store_review_add(struct store *store, const struct store_review *review) {
    struct store_request *request = store_request_new(STORE_REQUEST_REVIEW, NULL);
    request->review = *review;
    store_request_queue(store, request);
}

void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE],
                    void (*on_result)(void *context, const struct store_key *key, const struct err *err),
                    void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_KEY, context);
    request->on_key = on_result;
    memcpy(request->key.sha256, sha256, DIGEST_SHA256_SIZE);
    store_request_queue(store, request);
}

void store_task_run(struct store *store, struct store_task *task) {
    struct store_request *request =
        store_request_new(task->write != NULL ? STORE_REQUEST_TASK_WRITE : STORE_REQUEST_TASK_READ, NULL);
    request->task = task;
    store_request_queue(store, request);
}

void store_admin(struct store *store, const struct store_admin *admin,
                 void (*on_result)(void *context, const struct store_admin *result, const struct err *err),
                 void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_ADMIN, context);
    request->on_admin = on_result;
    request->admin = MEM_NEW(struct store_admin_request);
    request->admin->admin = *admin;
    str_copy(request->admin->actor, sizeof(request->admin->actor), str_from(admin->actor));
    request->admin->admin.actor = request->admin->actor;
    store_request_queue(store, request);
}

void store_answer_find(struct store *store, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                       void (*on_result)(void *context, const struct store_answer *answer, const struct err *err),
                       void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_ANSWER, context);
    request->on_answer = on_result;
    request->answer = (struct store_answer){0};
    memcpy(request->answer.scope_sha256, scope_sha256, DIGEST_SHA256_SIZE);
    request->now_ms = now_ms;
    store_tell_time(store, now_ms);
    store_request_queue(store, request);
}

static struct store_request *store_read_new(enum store_request_kind kind, const char *account_id, const char *key_id,
                                            void *context) {
    struct store_request *request = store_request_new(kind, context);
    str_copy(request->account_id, sizeof(request->account_id), str_from(account_id));
    str_copy(request->key_id, sizeof(request->key_id), str_from(key_id));
    request->usage.models = NULL;
    request->jobs = NULL;
    request->job_count = 0;
    request->more = false;
    return request;
}

void store_usage_read(struct store *store, const char *account_id, const char *key_id, int64_t from_ms, int64_t to_ms,
                      void (*on_result)(void *context, const struct store_usage *usage, const struct err *err),
                      void *context) {
    struct store_request *request = store_read_new(STORE_REQUEST_USAGE, account_id, key_id, context);
    request->on_usage = on_result;
    request->from_ms = from_ms;
    request->to_ms = to_ms;
    store_request_queue(store, request);
}

void store_generations_page(struct store *store, const char *account_id, bool earned, const char *after, unsigned limit,
                            void (*on_result)(void *context, const struct store_generation *jobs, size_t count,
                                              bool more, const struct err *err),
                            void *context) {
    struct store_request *request = store_read_new(STORE_REQUEST_PAGE, account_id, after, context);
    request->on_page = on_result;
    request->earned = earned;
    request->limit = limit;
    store_request_queue(store, request);
}

void store_earnings_read(struct store *store, const char *account_id, int64_t from_ms, int64_t to_ms,
                         void (*on_result)(void *context, const struct store_earnings *earnings, const struct err *err),
                         void *context) {
    struct store_request *request = store_read_new(STORE_REQUEST_EARNINGS, account_id, "", context);
    request->on_earnings = on_result;
    request->from_ms = from_ms;
    request->to_ms = to_ms;
    store_request_queue(store, request);
}
