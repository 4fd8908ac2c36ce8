#include "store/store.h"

#include "base/clock.h"
#include "base/mem.h"
#include "store/sqlite_rows.h"
#include "wire/join_token.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STORE_GROUP_INTERVAL_US = 5000 }; /* the shortest time from group to group while the writer is busy */

enum store_request_kind { STORE_REQUEST_JOB, STORE_REQUEST_ENROL, STORE_REQUEST_KEY };

/* What the loop asks of the writer. Made and freed on the loop's thread; between, it belongs to the list it is in. */
struct store_request {
    struct store_request *next;
    enum store_request_kind kind;
    bool found;      /* the answer is in device or key */
    bool broke;      /* the first of the group that broke the store */
    struct err *err; /* owned; NULL when it went well */
    void *context;
    union {
        void (*on_durable)(void *context, const struct err *err);
        void (*on_device)(void *context, const struct store_device *device, const struct err *err);
        void (*on_key)(void *context, const struct store_key *key, const struct err *err);
    };
    union {
        struct store_job job;
        struct {
            struct store_device device; /* the candidate, then the answer */
            bool token_given;
            uint8_t token_sha256[DIGEST_SHA256_SIZE];
        };
        struct store_key key; /* sha256 is the question */
    };
};

struct store_list {
    struct store_request *first, **end;
};

struct store {
    struct sqlite_db *db; /* the writer's once it runs */

    /* The loop's. */
    bool started, closed_to_requests;
    size_t outstanding; /* requests whose callback has not been called */
    uv_thread_t thread;
    uv_async_t *wake; /* on the heap of its own: libuv needs it until its close callback */
    void (*on_broken)(void *context, const struct err *err);
    void *on_broken_context;

    /* Shared, under the mutex. */
    uv_mutex_t mutex;
    uv_cond_t work;
    struct store_list waiting, done;
    bool writer_sleeps, closing;

    /* The writer's. */
    struct err broken; /* ERR_NONE until a write failed for good */

    _Atomic uint64_t groups, records;
};

static void store_list_init(struct store_list *list) {
    list->first = NULL;
    list->end = &list->first;
}

static void store_list_append(struct store_list *list, struct store_request *request) {
    request->next = NULL;
    *list->end = request;
    list->end = &request->next;
}

/* Moves everything from one list to the end of another. */
static void store_list_move(struct store_list *to, struct store_list *from) {
    if (from->first != NULL) {
        *to->end = from->first;
        to->end = from->end;
        store_list_init(from);
    }
}

/* --- The writer's side --- */

static void store_request_fail(struct store_request *request, const struct err *err) {
    if (request->err == NULL) {
        request->err = MEM_NEW(struct err);
    }
    *request->err = *err;
}

static bool store_enrol(struct sqlite_db *db, struct store_request *request, bool *wrote, struct err *err) {
    struct store_device known;
    if (!sqlite_device_find(db, request->device.public_key, &known, &request->found, err)) {
        return false;
    }
    if (request->found) {
        request->device = known;
        return true;
    }
    if (!request->token_given) {
        return true;
    }
    bool ok = sqlite_device_enrol(db, request->token_sha256, &request->device, &request->found, err);
    *wrote = ok && request->found;
    return ok;
}

static bool store_request_run(struct sqlite_db *db, struct store_request *request, bool *wrote, struct err *err) {
    *wrote = false;
    switch (request->kind) {
    case STORE_REQUEST_JOB:
        *wrote = sqlite_job_add(db, &request->job, err);
        return *wrote;
    case STORE_REQUEST_ENROL:
        return store_enrol(db, request, wrote, err);
    case STORE_REQUEST_KEY:
        return sqlite_key_find(db, request->key.sha256, &request->key, &request->found, err);
    }
    return err_set(err, ERR_INTERNAL, "unknown kind of request");
}

/* All of the list in one transaction. False: nothing of it was written. */
static bool store_group_run(struct store *store, struct store_list *list, uint64_t *records, struct err *err) {
    if (sqlite_db_moved(store->db)) {
        return err_set(err, ERR_IO, "The database %s was deleted or renamed while in use", store->db->path);
    }
    if (!sqlite_db_begin(store->db, err)) {
        return false;
    }
    for (struct store_request *request = list->first; request != NULL; request = request->next) {
        bool wrote;
        if (!store_request_run(store->db, request, &wrote, err)) {
            if (err->code != ERR_CONFLICT) {
                sqlite_db_rollback(store->db);
                return false;
            }
            store_request_fail(request, err); /* this one row was refused; the others are fine */
        }
        *records += wrote;
    }
    return sqlite_db_commit(store->db, err);
}

static void store_group(struct store *store, struct store_list *list) {
    struct err err = store->broken;
    uint64_t records = 0;
    if (err.code == ERR_NONE && store_group_run(store, list, &records, &err)) {
        if (records > 0) {
            atomic_fetch_add_explicit(&store->records, records, memory_order_relaxed);
            atomic_fetch_add_explicit(&store->groups, 1, memory_order_relaxed);
        }
        return;
    }
    /* After a failed write or sync nobody knows what is on the disk, so nothing is ever acknowledged again. A busy
     * database is another matter: nothing was begun. */
    if (store->broken.code == ERR_NONE && err.code != ERR_UNAVAILABLE) {
        store->broken = err;
        list->first->broke = true;
    }
    for (struct store_request *request = list->first; request != NULL; request = request->next) {
        store_request_fail(request, &err);
    }
}

/* Waits for requests and takes them all. False: none will come any more. */
static bool store_writer_take(struct store *store, struct store_list *list) {
    uv_mutex_lock(&store->mutex);
    while (store->waiting.first == NULL && !store->closing) {
        store->writer_sleeps = true;
        uv_cond_wait(&store->work, &store->mutex);
    }
    store->writer_sleeps = false;
    store_list_move(list, &store->waiting);
    uv_mutex_unlock(&store->mutex);
    return list->first != NULL;
}

/* A group costs far more than a record in it, and so does waking the writer. So when there is more than a record at a
 * time, the next group gathers for a while; a lone record never waits. */
static void store_writer_pace(uint64_t started_us, bool busy) {
    uint64_t spent_us = clock_monotonic_us() - started_us;
    if (busy && spent_us < STORE_GROUP_INTERVAL_US) {
        const struct timespec rest = {.tv_nsec = (long)(STORE_GROUP_INTERVAL_US - spent_us) * 1000};
        nanosleep(&rest, NULL);
    }
}

static void store_writer_run(void *argument) {
    struct store *store = (struct store *)argument;
    struct store_list list;
    store_list_init(&list);
    while (store_writer_take(store, &list)) {
        uint64_t started_us = clock_monotonic_us();
        bool busy = list.first->next != NULL;
        store_group(store, &list);
        uv_mutex_lock(&store->mutex);
        store_list_move(&store->done, &list);
        uv_mutex_unlock(&store->mutex);
        uv_async_send(store->wake);
        store_writer_pace(started_us, busy);
    }
}

/* --- The loop's side --- */

static void store_request_answer(struct store *store, struct store_request *request) {
    if (request->broke && store->on_broken != NULL) {
        store->on_broken(store->on_broken_context, request->err);
    }
    bool found = request->found && request->err == NULL;
    switch (request->kind) {
    case STORE_REQUEST_JOB:
        if (request->on_durable != NULL) {
            request->on_durable(request->context, request->err);
        }
        break;
    case STORE_REQUEST_ENROL:
        request->on_device(request->context, found ? &request->device : NULL, request->err);
        break;
    case STORE_REQUEST_KEY:
        request->on_key(request->context, found ? &request->key : NULL, request->err);
        break;
    }
}

/* Calls the callbacks of all that is done; they may ask for more. */
static void store_deliver(struct store *store) {
    struct store_list done;
    store_list_init(&done);
    uv_mutex_lock(&store->mutex);
    store_list_move(&done, &store->done);
    uv_mutex_unlock(&store->mutex);
    for (struct store_request *request = done.first, *next; request != NULL; request = next) {
        next = request->next;
        store_request_answer(store, request);
        free(request->err);
        free(request);
        if (--store->outstanding == 0) {
            uv_unref((uv_handle_t *)store->wake);
        }
    }
}

static void store_on_wake(uv_async_t *wake) {
    store_deliver((struct store *)wake->data);
}

static void store_on_wake_closed(uv_handle_t *wake) {
    free(wake);
}

static struct store_request *store_request_new(enum store_request_kind kind, void *context) {
    struct store_request *request = (struct store_request *)mem_alloc(sizeof(*request));
    request->kind = kind;
    request->found = request->broke = false;
    request->err = NULL;
    request->context = context;
    return request;
}

/* Answers without the writer, but not before the caller has returned. */
static void store_request_refuse(struct store *store, struct store_request *request) {
    struct err err;
    if (store->closed_to_requests) {
        err_set(&err, ERR_CLOSED, "The store is being closed");
    } else {
        err_set(&err, ERR_UNAVAILABLE, "Too many records wait for the database");
    }
    store_request_fail(request, &err);
    uv_mutex_lock(&store->mutex);
    store_list_append(&store->done, request);
    uv_mutex_unlock(&store->mutex);
    uv_async_send(store->wake);
}

static void store_request_queue(struct store *store, struct store_request *request) {
    assert(store->started);
    if (store->outstanding++ == 0) {
        uv_ref((uv_handle_t *)store->wake);
    }
    if (store->outstanding > STORE_QUEUE_MAX || store->closed_to_requests) {
        store_request_refuse(store, request);
        return;
    }
    uv_mutex_lock(&store->mutex);
    store_list_append(&store->waiting, request);
    bool sleeps = store->writer_sleeps;
    store->writer_sleeps = false;
    uv_mutex_unlock(&store->mutex);
    if (sleeps) { /* one wake-up a group: it costs a system call */
        uv_cond_signal(&store->work);
    }
}

void store_job_write(struct store *store, const struct store_job *job,
                     void (*on_durable)(void *context, const struct err *err), void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_JOB, context);
    request->on_durable = on_durable;
    request->job = *job;
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

void store_key_find(struct store *store, const uint8_t sha256[DIGEST_SHA256_SIZE],
                    void (*on_result)(void *context, const struct store_key *key, const struct err *err),
                    void *context) {
    struct store_request *request = store_request_new(STORE_REQUEST_KEY, context);
    request->on_key = on_result;
    memcpy(request->key.sha256, sha256, DIGEST_SHA256_SIZE);
    store_request_queue(store, request);
}

struct store_counts store_counts(const struct store *store) {
    return (struct store_counts){
        .groups = atomic_load_explicit(&store->groups, memory_order_relaxed),
        .records = atomic_load_explicit(&store->records, memory_order_relaxed),
    };
}

/* --- Life --- */

bool store_open(struct store **out, const char *path, struct err *err) {
    struct sqlite_db *db;
    *out = NULL;
    if (!sqlite_db_open(&db, path, err)) {
        return false;
    }
    *out = MEM_NEW(struct store);
    (*out)->db = db;
    store_list_init(&(*out)->waiting);
    store_list_init(&(*out)->done);
    return true;
}

/* Signals are the loop's business: the writer inherits a full mask. */
static int store_thread_create(struct store *store) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int result = uv_thread_create(&store->thread, store_writer_run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

bool store_start(struct store *store, uv_loop_t *loop, void (*on_broken)(void *context, const struct err *err),
                 void *context, struct err *err) {
    assert(!store->started);
    store->on_broken = on_broken;
    store->on_broken_context = context;
    store->wake = MEM_NEW(uv_async_t);
    int result = uv_async_init(loop, store->wake, store_on_wake);
    if (result != 0) {
        free(store->wake);
        return err_set(err, ERR_IO, "Cannot wake the loop from the store: %s", uv_strerror(result));
    }
    store->wake->data = store;
    uv_unref((uv_handle_t *)store->wake);
    result = uv_mutex_init(&store->mutex);
    if (result != 0) {
        goto failed;
    }
    result = uv_cond_init(&store->work);
    if (result == 0) {
        result = store_thread_create(store);
        if (result == 0) {
            store->started = true;
            return true;
        }
        uv_cond_destroy(&store->work);
    }
    uv_mutex_destroy(&store->mutex);
failed:
    uv_close((uv_handle_t *)store->wake, store_on_wake_closed);
    return err_set(err, ERR_IO, "Cannot start the store's thread: %s", uv_strerror(result));
}

static void store_stop(struct store *store) {
    store->closed_to_requests = true;
    uv_mutex_lock(&store->mutex);
    store->closing = true;
    uv_mutex_unlock(&store->mutex);
    uv_cond_signal(&store->work);
    uv_thread_join(&store->thread);
    while (store->outstanding > 0) { /* again when a callback asked for more: that is refused */
        store_deliver(store);
    }
    uv_close((uv_handle_t *)store->wake, store_on_wake_closed);
    uv_cond_destroy(&store->work);
    uv_mutex_destroy(&store->mutex);
}

void store_close(struct store *store) {
    if (store == NULL) {
        return;
    }
    if (store->started) {
        store_stop(store);
    }
    sqlite_db_close(store->db);
    free(store);
}

/* --- Synchronous calls: the connection is still the caller's --- */

static struct sqlite_db *store_db(struct store *store) {
    assert(!store->started);
    return store->db;
}

bool store_account_add(struct store *store, const struct store_account *account, struct err *err) {
    return sqlite_account_add(store_db(store), account, err);
}

bool store_account_owner(struct store *store, struct store_account *out, struct err *err) {
    return sqlite_account_owner(store_db(store), out, err);
}

bool store_key_add(struct store *store, const struct store_key *key, struct err *err) {
    return sqlite_key_add(store_db(store), key, err);
}

bool store_join_token_add(struct store *store, const struct store_join_token *token, struct err *err) {
    return sqlite_join_token_add(store_db(store), token, err);
}

bool store_each_account(struct store *store, bool (*row)(void *context, const struct store_account *account),
                        void *context, struct err *err) {
    return sqlite_account_each(store_db(store), row, context, err);
}

bool store_each_key(struct store *store, bool (*row)(void *context, const struct store_key *key), void *context,
                    struct err *err) {
    return sqlite_key_each(store_db(store), row, context, err);
}

bool store_each_job(struct store *store, bool (*row)(void *context, const struct store_job *job), void *context,
                    struct err *err) {
    return sqlite_job_each(store_db(store), row, context, err);
}

bool store_setting_get(struct store *store, const char *name, char *out, size_t out_size, struct err *err) {
    return sqlite_setting_get(store_db(store), name, out, out_size, err);
}

bool store_setting_set(struct store *store, const char *name, const char *value, struct err *err) {
    return sqlite_setting_set(store_db(store), name, value, err);
}
