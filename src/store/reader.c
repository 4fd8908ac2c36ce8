/* The reader: questions that may take long, answered beside the writer on a connection of their own. It sees what was
 * committed when it begins (SQLite's WAL gives it a snapshot) and never makes the writer wait. */
#include "store/internal.h"

static bool store_read(struct sqlite_db *db, struct store_request *request, struct err *err) {
    switch (request->kind) {
    case STORE_REQUEST_ANSWER:
        return sqlite_answer_find(db, request->answer.scope_sha256, request->now_ms, &request->answer, &request->found,
                                  err);
    case STORE_REQUEST_USAGE:
        return sqlite_usage(
            db, &(struct sqlite_period){request->account_id, request->key_id, request->from_ms, request->to_ms},
            &request->usage, err);
    case STORE_REQUEST_PAGE:
        return sqlite_generations_page(
            db, &(struct sqlite_page){request->account_id, request->key_id, request->earned, request->limit},
            &request->jobs, &request->job_count, &request->more, err);
    case STORE_REQUEST_EARNINGS:
        return sqlite_earnings(db, &(struct sqlite_period){request->account_id, "", request->from_ms, request->to_ms},
                               &request->earnings, err);
    case STORE_REQUEST_ADMIN_READ:
        return store_admin_read_run(db, request->admin_read, err);
    case STORE_REQUEST_TASK_READ:
        return request->task->read(request->task, db, err);
    case STORE_REQUEST_SETTLE:
    case STORE_REQUEST_ENROL:
    case STORE_REQUEST_KEY:
    case STORE_REQUEST_ADMIN:
    case STORE_REQUEST_RECORD:
    case STORE_REQUEST_REVIEW:
    case STORE_REQUEST_TASK_WRITE:
        break; /* the writer's */
    }
    return err_set(err, ERR_INTERNAL, "unknown kind of request");
}

void store_reader_run(void *argument) {
    struct store *store = (struct store *)argument;
    const struct sqlite_db_options options = {.vfs = store->options.vfs, .read_only = true};
    struct sqlite_db *db = NULL; /* opened with the first question */
    struct store_list list, one;
    store_list_init(&list);
    while (store_lane_take(store, &store->reader, &list)) {
        while (list.first != NULL) {
            struct store_request *request = list.first;
            struct err err;
            list.first = request->next;
            if ((db == NULL && !sqlite_db_open(&db, store->db->path, &options, &err)) ||
                !store_read(db, request, &err)) {
                store_request_fail(request, &err);
            }
            store_list_init(&one);
            store_list_append(&one, request);
            store_lane_done(store, &one);
        }
        store_list_init(&list);
    }
    sqlite_db_close(db);
}
