#include "store/sqlite/jobs.h"

#include "base/mem.h"
#include "store/sqlite/account_seal.h"
#include "store/sqlite/quotas.h"

#include <stdlib.h>

static struct sqlite_reader columns_read(struct sqlite_db *db, enum sql sql, struct store_job *out) {
    struct sqlite_reader reader = sqlite_read(db, sql);
    *out = (struct store_job){.body = STR(""), .result = STR("")};
    sqlite_read_text(&reader, out->id, sizeof(out->id));
    sqlite_read_text(&reader, out->account_id, sizeof(out->account_id));
    sqlite_read_text(&reader, out->key_id, sizeof(out->key_id));
    out->test = sqlite_read_int(&reader) != 0;
    out->kind = (enum store_job_kind)sqlite_read_choice(&reader, STORE_JOB_KINDS);
    out->state = (enum store_job_state)sqlite_read_choice(&reader, STORE_JOB_STATES);
    sqlite_read_text(&reader, out->model, sizeof(out->model));
    out->created_ms = sqlite_read_int(&reader);
    out->started_ms = sqlite_read_int(&reader);
    out->ended_ms = sqlite_read_int(&reader);
    out->prompt_tokens = (uint32_t)sqlite_read_int(&reader);
    out->completion_tokens = (uint32_t)sqlite_read_int(&reader);
    out->charge_nano = sqlite_read_int(&reader);
    sqlite_read_blob(&reader, out->body_sha256, sizeof(out->body_sha256));
    return reader;
}

static bool texts_read(struct sqlite_reader *reader, struct store_job *out, struct err *err) {
    uint8_t secret[SEAL_KEY_SIZE];
    bool sealed;
    sqlite_read_secret(reader, secret, &sealed);
    const struct str body = sqlite_read_bytes(reader), result = sqlite_read_bytes(reader);
    if (!sqlite_copy_sealed(secret, sealed, body, &out->body, err)) {
        return false;
    }
    if (sqlite_copy_sealed(secret, sealed, result, &out->result, err)) {
        return true;
    }
    free((void *)out->body.data);
    out->body = STR("");
    return false;
}

static bool job_find(struct store_connection *connection, const char *id, struct store_job *out, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_FIND);
    sqlite_bind_text(&binder, id);
    if (!sqlite_next(db, SQL_JOB_FIND, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such job");
    }
    struct sqlite_reader reader = columns_read(db, SQL_JOB_FIND, out);
    const bool ok = texts_read(&reader, out, err);
    sqlite_reset(db, SQL_JOB_FIND);
    return ok;
}

/* The job that has the scope of a new one: `existing` when it still counts, else `stale`. */
static bool job_look_scope(struct sqlite_db *db, const struct store_job_new *asked, char existing[STORE_ID_MAX],
                           bool *stale, struct err *err) {
    int64_t created_ms;
    *stale = false;
    if (asked->scope_sha256 == NULL) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_BY_SCOPE);
    sqlite_bind_blob(&binder, asked->scope_sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_JOB_BY_SCOPE, stale, err)) {
        return false;
    }
    if (!*stale) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_JOB_BY_SCOPE);
    sqlite_read_text(&reader, existing, STORE_ID_MAX);
    created_ms = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_JOB_BY_SCOPE);
    *stale = created_ms <= asked->scope_since_ms || asked->replaces;
    if (*stale) {
        existing[0] = '\0';
    }
    return true;
}

static bool job_unscope(struct sqlite_db *db, const struct store_job_new *asked, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_UNSCOPE);
    sqlite_bind_blob(&binder, asked->scope_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_JOB_UNSCOPE, err);
}

static bool row_add(struct sqlite_db *db, const struct store_job_new *asked, int64_t account_number,
                    const struct turn_place *seal, struct err *err) {
    const struct store_job *job = &asked->job;
    struct buf room;
    buf_init(&room, job->body.len + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_ADD);
    sqlite_bind_text(&binder, job->id);
    sqlite_bind_int(&binder, account_number);
    sqlite_bind_text(&binder, job->key_id);
    sqlite_bind_int(&binder, job->test);
    sqlite_bind_int(&binder, job->kind);
    sqlite_bind_text(&binder, job->model);
    sqlite_bind_int(&binder, job->created_ms);
    if (asked->scope_sha256 != NULL) {
        sqlite_bind_blob(&binder, asked->scope_sha256, DIGEST_SHA256_SIZE);
    } else {
        sqlite_bind_null(&binder);
    }
    sqlite_bind_blob(&binder, job->body_sha256, sizeof(job->body_sha256));
    sqlite_bind_sealed(&binder, seal, job->body, &room);
    sqlite_bind_int(&binder, seal->number);
    sqlite_bind_int(&binder, asked->reserve_bytes);
    const bool ok = sqlite_run(db, SQL_JOB_ADD, err);
    buf_clear(&room);
    return ok;
}

static bool job_add(struct store_connection *connection, const struct store_job_new *asked, char existing[STORE_ID_MAX],
                    struct err *err) {
    const struct store_job *job = &asked->job;
    const struct store_amount more = {.rows = 1, .bytes = (int64_t)job->body.len + asked->reserve_bytes};
    struct ledger *ledger = ledger_of(connection);
    struct sqlite_db *db = ledger->db;
    struct ledger_account *account;
    struct turn_place seal;
    bool stale;
    existing[0] = '\0';
    if (!ledger_find_account(ledger, job->account_id, &account, err) ||
        !job_look_scope(db, asked, existing, &stale, err)) {
        return false;
    }
    if (existing[0] != '\0') {
        return true;
    }
    return sqlite_quota_check(db, account->number, STORE_KEPT_JOBS, &more, err) &&
           sqlite_account_seal_live(db, account->number, &seal, err) && (!stale || job_unscope(db, asked, err)) &&
           row_add(db, asked, account->number, &seal, err);
}

static bool job_move(struct store_connection *connection, const char *id, enum store_job_state state, int64_t now_ms,
                     struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_MOVE);
    sqlite_bind_int(&binder, state);
    sqlite_bind_int(&binder, state == STORE_JOB_RUNNING ? now_ms : 0);
    sqlite_bind_text(&binder, id);
    return sqlite_run(db, SQL_JOB_MOVE, err);
}

static bool job_end(struct store_connection *connection, const struct store_job_end *end, bool *changed,
                    struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct turn_place seal;
    struct buf room;
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_SEAL);
    sqlite_bind_text(&binder, end->id);
    if (!sqlite_seal_find(db, SQL_JOB_SEAL, &seal, err)) {
        return false;
    }
    buf_init(&room, end->result.len + SEAL_EXTRA);
    binder = sqlite_bind(db, SQL_JOB_END);
    sqlite_bind_int(&binder, end->state);
    sqlite_bind_int(&binder, end->ended_ms);
    sqlite_bind_int(&binder, end->prompt_tokens);
    sqlite_bind_int(&binder, end->completion_tokens);
    sqlite_bind_int(&binder, end->charge_nano);
    sqlite_bind_sealed(&binder, &seal, end->result, &room);
    sqlite_bind_text(&binder, end->id);
    const bool ok = sqlite_run(db, SQL_JOB_END, err);
    buf_clear(&room);
    if (!ok) {
        return false;
    }
    *changed = sqlite_changes(db) > 0;
    if (end->scope_sha256 == NULL) {
        return true;
    }
    binder = sqlite_bind(db, SQL_ANSWER_DELETE);
    sqlite_bind_blob(&binder, end->scope_sha256, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_ANSWER_DELETE, err);
}

static bool job_cursor(struct sqlite_db *db, const struct store_job_query *query, int64_t *number, struct err *err) {
    bool found;
    *number = INT64_MAX;
    if (query->after[0] == '\0') {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_CURSOR);
    sqlite_bind_text(&binder, query->account_id);
    sqlite_bind_int(&binder, query->test);
    sqlite_bind_text(&binder, query->after);
    if (!sqlite_next(db, SQL_JOB_CURSOR, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "after", "There is no such job");
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_JOB_CURSOR);
    *number = sqlite_read_int(&reader);
    sqlite_reset(db, SQL_JOB_CURSOR);
    return true;
}

static enum sql job_list_bind(struct sqlite_db *db, const struct store_job_query *query, int64_t before, size_t limit) {
    const enum sql sql = query->account_id[0] == '\0' ? SQL_JOB_OPEN
                         : query->state < 0           ? SQL_JOB_PAGE
                                                      : SQL_JOB_PAGE_STATE;
    struct sqlite_binder binder = sqlite_bind(db, sql);
    if (sql != SQL_JOB_OPEN) {
        sqlite_bind_text(&binder, query->account_id);
        sqlite_bind_int(&binder, query->test);
        sqlite_bind_int(&binder, before);
    }
    if (sql == SQL_JOB_PAGE_STATE) {
        sqlite_bind_int(&binder, query->state);
    }
    sqlite_bind_int(&binder, (int64_t)limit + 1);
    return sql;
}

static bool job_list(struct store_connection *connection, const struct store_job_query *query, struct store_job **rows,
                     size_t *count, bool *more, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    const size_t limit = query->limit < STORE_JOB_LIST_MAX ? query->limit : STORE_JOB_LIST_MAX;
    size_t capacity = 0;
    int64_t before;
    bool ok, found;
    *rows = NULL;
    *count = 0;
    *more = false;
    if (!job_cursor(db, query, &before, err)) {
        return false;
    }
    const enum sql sql = job_list_bind(db, query, before, limit);
    while ((ok = sqlite_next(db, sql, &found, err)) && found) {
        if (*count == limit) {
            *more = true;
            break;
        }
        if (*count == capacity) {
            capacity = capacity == 0 ? 32 : 2 * capacity;
            *rows = mem_realloc(*rows, capacity * sizeof(**rows));
        }
        (void)columns_read(db, sql, &(*rows)[(*count)++]);
    }
    sqlite_reset(db, sql);
    return ok;
}

static bool job_forget(struct store_connection *connection, const char *id, bool *done, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_FORGET);
    sqlite_bind_text(&binder, id);
    if (!sqlite_run(db, SQL_JOB_FORGET, err)) {
        return false;
    }
    *done = sqlite_changes(db) > 0;
    return true;
}

static bool job_purge(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more,
                      struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_JOB_PURGE);
    sqlite_bind_int(&binder, before_ms);
    sqlite_bind_int(&binder, (int64_t)limit);
    if (!sqlite_run(db, SQL_JOB_PURGE, err)) {
        return false;
    }
    *more = sqlite_changes(db) == limit;
    return true;
}

const struct store_job_rows sqlite_job_rows = {
    .find = job_find,
    .add = job_add,
    .move = job_move,
    .end = job_end,
    .list = job_list,
    .forget = job_forget,
    .purge = job_purge,
};
