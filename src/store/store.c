#include "store/store.h"

#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/rows.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* --- Life --- */

bool store_open_with(struct store **out, const char *path, const struct store_options *options, struct err *err) {
    const struct sqlite_db_options db_options = {
        .vfs = options->vfs,
        .sync_less = options->sync_less,
        .checkpoint_pages = options->checkpoint_pages,
    };
    struct sqlite_db *db;
    *out = NULL;
    if (!sqlite_db_open(&db, path, &db_options, err)) {
        return false;
    }
    *out = MEM_NEW(struct store);
    (*out)->db = db;
    (*out)->options = *options;
    ledger_init(&(*out)->ledger, db);
    store_list_init(&(*out)->writer.waiting);
    store_list_init(&(*out)->reader.waiting);
    store_list_init(&(*out)->done);
    return true;
}

bool store_open(struct store **out, const char *path, struct err *err) {
    return store_open_with(out, path, &(struct store_options){0}, err);
}

static void store_on_wake(uv_async_t *wake) {
    store_deliver((struct store *)wake->data);
}

static void store_on_wake_closed(uv_handle_t *wake) {
    free(wake);
}

static int store_lane_start(struct store *store, struct store_lane *lane, void (*run)(void *argument)) {
    int result = uv_cond_init(&lane->work);
    if (result != 0) {
        return result;
    }
    /* Signals are the loop's business: the thread inherits a full mask. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    result = uv_thread_create(&lane->thread, run, store);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (result != 0) {
        uv_cond_destroy(&lane->work);
    }
    return result;
}

static void store_lane_stop(struct store *store, struct store_lane *lane) {
    uv_mutex_lock(&store->mutex);
    store->closing = true;
    uv_mutex_unlock(&store->mutex);
    uv_cond_signal(&lane->work);
    uv_thread_join(&lane->thread);
    uv_cond_destroy(&lane->work);
}

static int store_start_threads(struct store *store) {
    int result = uv_mutex_init(&store->mutex);
    if (result != 0) {
        return result;
    }
    result = store_lane_start(store, &store->writer, store_writer_run);
    if (result == 0) {
        result = store_lane_start(store, &store->reader, store_reader_run);
        if (result == 0) {
            return 0;
        }
        store_lane_stop(store, &store->writer);
        store->closing = false;
    }
    uv_mutex_destroy(&store->mutex);
    return result;
}

bool store_start(struct store *store, uv_loop_t *loop, void (*on_broken)(void *context, const struct err *err),
                 void *context, struct err *err) {
    assert(!store->started);
    store->db->wipe_log = true; /* a crash may have left what was deleted before it */
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
    result = store_start_threads(store);
    if (result != 0) {
        uv_close((uv_handle_t *)store->wake, store_on_wake_closed);
        return err_set(err, ERR_IO, "Cannot start the store's threads: %s", uv_strerror(result));
    }
    store->started = true;
    return true;
}

static void store_stop(struct store *store) {
    store->closed_to_requests = true;
    store_lane_stop(store, &store->writer);
    store_lane_stop(store, &store->reader);
    while (store->outstanding > 0) { /* again when a callback asked for more: that is refused */
        store_deliver(store);
    }
    uv_close((uv_handle_t *)store->wake, store_on_wake_closed);
    uv_mutex_destroy(&store->mutex);
}

void store_close(struct store *store) {
    if (store == NULL) {
        return;
    }
    if (store->started) {
        store_stop(store);
    }
    ledger_clear(&store->ledger);
    sqlite_db_close(store->db);
    free(store);
}

struct store_counts store_counts(const struct store *store) {
    return (struct store_counts){
        .groups = atomic_load_explicit(&store->groups, memory_order_relaxed),
        .records = atomic_load_explicit(&store->records, memory_order_relaxed),
    };
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

bool store_each_generation(struct store *store, bool (*row)(void *context, const struct store_generation *job),
                           void *context, struct err *err) {
    return sqlite_generation_each(store_db(store), row, context, err);
}

bool store_setting_get(struct store *store, const char *name, char *out, size_t out_size, struct err *err) {
    return sqlite_setting_get(store_db(store), name, out, out_size, err);
}

bool store_setting_set(struct store *store, const char *name, const char *value, struct err *err) {
    return sqlite_setting_set(store_db(store), name, value, err);
}

bool store_admin_now(struct store *store, const struct store_admin *admin, struct store_admin *result,
                     struct err *err) {
    struct sqlite_db *db = store_db(store);
    if (!sqlite_db_begin(db, err)) {
        return false;
    }
    if (ledger_begin(&store->ledger, err) && sqlite_admin(&store->ledger, admin, result, err) &&
        ledger_flush(&store->ledger, err) && sqlite_db_commit(db, err)) {
        return true;
    }
    sqlite_db_rollback(db);
    ledger_forget(&store->ledger);
    return false;
}

bool store_ledger_check(struct store *store, void (*on_problem)(void *context, const char *text), void *context,
                        struct store_ledger_report *report, struct err *err) {
    return sqlite_ledger_check(store_db(store), on_problem, context, report, err);
}

bool store_each_entry(struct store *store, bool (*row)(void *context, const struct store_entry *entry), void *context,
                      struct err *err) {
    return sqlite_entry_each(store_db(store), row, context, err);
}

bool store_each_audit(struct store *store, bool (*row)(void *context, const struct store_audit *audit), void *context,
                      struct err *err) {
    return sqlite_audit_each(store_db(store), row, context, err);
}
