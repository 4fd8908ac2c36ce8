#include "store/sqlite/workflows.h"

#include "store/sqlite/account_seal.h"
#include "store/sqlite/answers.h"
#include "store/sqlite/events.h"
#include "store/sqlite/quotas.h"
#include "store/sqlite/steps.h"
#include "store/sqlite/turns.h"
#include "store/sqlite/workflow_reads.h"

/* --- Adding --- */

/* The workflow that has its id, or that has its scope and still counts. */
static bool existing_find(struct sqlite_db *db, const struct store_workflow_new *asked, char existing[STORE_ID_MAX],
                          struct err *err) {
    struct workflow_place same;
    bool found;
    existing[0] = '\0';
    if (!sqlite_workflow_place(db, asked->workflow.id, &same, &found, err)) {
        return false;
    }
    if (found) {
        (void)str_copy(existing, STORE_ID_MAX, str_from(asked->workflow.id));
        return true;
    }
    if (asked->scope_sha256 == NULL || asked->replaces) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_BY_SCOPE);
    sqlite_bind_blob(&binder, asked->scope_sha256, DIGEST_SHA256_SIZE);
    if (!sqlite_next(db, SQL_WORKFLOW_BY_SCOPE, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_WORKFLOW_BY_SCOPE);
        sqlite_read_text(&reader, existing, STORE_ID_MAX);
        if (sqlite_read_int(&reader) <= asked->scope_since_ms) {
            existing[0] = '\0';
        }
        sqlite_reset(db, SQL_WORKFLOW_BY_SCOPE);
    }
    return true;
}

static bool row_add(struct sqlite_db *db, const struct store_workflow_new *asked, int64_t account_number,
                    const struct turn_place *place, struct err *err) {
    const struct store_workflow *workflow = &asked->workflow;
    struct buf task;
    buf_init(&task, STORE_WORKFLOW_TASK_MAX + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_ADD);
    sqlite_bind_text(&binder, workflow->id);
    sqlite_bind_int(&binder, account_number);
    sqlite_bind_text(&binder, workflow->key_id);
    sqlite_bind_int(&binder, workflow->test);
    sqlite_bind_int(&binder, workflow->kind);
    sqlite_bind_int(&binder, workflow->chosen);
    sqlite_bind_text(&binder, workflow->model);
    sqlite_bind_int(&binder, workflow->max_steps);
    sqlite_bind_int(&binder, workflow->max_cost_nano);
    sqlite_bind_int(&binder, place->number);
    sqlite_bind_int(&binder, workflow->created_ms);
    if (asked->scope_sha256 != NULL) {
        sqlite_bind_blob(&binder, asked->scope_sha256, DIGEST_SHA256_SIZE);
    } else {
        sqlite_bind_null(&binder);
    }
    sqlite_bind_blob(&binder, workflow->body_sha256, sizeof(workflow->body_sha256));
    sqlite_bind_sealed(&binder, place, str_from(workflow->task), &task);
    const bool ok = sqlite_run(db, SQL_WORKFLOW_ADD, err);
    buf_clear(&task);
    return ok;
}

static bool request_add(struct sqlite_db *db, struct str text, const struct turn_place *place, struct err *err) {
    struct buf request;
    buf_init(&request, text.len + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_TEXTS_ADD);
    sqlite_bind_int(&binder, sqlite_last_number(db));
    sqlite_bind_sealed(&binder, place, text, &request);
    const bool ok = sqlite_run(db, SQL_WORKFLOW_TEXTS_ADD, err);
    buf_clear(&request);
    return ok;
}

/* Under its idempotency key nothing else is found any more. */
static bool unscope(struct sqlite_db *db, const uint8_t *scope, struct err *err) {
    if (scope == NULL) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_UNSCOPE);
    sqlite_bind_blob(&binder, scope, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_WORKFLOW_UNSCOPE, err);
}

static bool workflow_add(struct store_connection *connection, const struct store_workflow_new *asked,
                         char existing[STORE_ID_MAX], struct err *err) {
    const struct store_workflow *workflow = &asked->workflow;
    struct ledger *ledger = ledger_of(connection);
    struct sqlite_db *db = ledger->db;
    struct turn_place place = {0};
    struct ledger_account *account;
    if (!ledger_find_account(ledger, workflow->account_id, &account, err) || !existing_find(db, asked, existing, err)) {
        return false;
    }
    if (existing[0] != '\0') {
        return true;
    }
    if (workflow->conversation_id[0] != '\0') {
        if (!sqlite_conversation_place(ledger, workflow->account_id, workflow->test, workflow->conversation_id, &place,
                                       err)) {
            return false;
        }
        if (place.number == 0) {
            return err_set_field(err, ERR_NOT_FOUND, "conversation_id", "There is no such conversation");
        }
    } else if (!sqlite_account_seal_live(db, account->number, &place, err)) {
        return false;
    }
    const struct store_amount more = {.rows = 1, .bytes = (int64_t)workflow->request.len};
    return sqlite_quota_check(db, account->number, STORE_KEPT_WORKFLOWS, &more, err) &&
           unscope(db, asked->scope_sha256, err) &&
           sqlite_no_refusal(row_add(db, asked, account->number, &place, err) &&
                                 request_add(db, workflow->request, &place, err),
                             err);
}

/* --- The end --- */

/* What goes with it: the turn, unless it does not follow, and the answer, unless its conversation has gone. */
struct end_rest {
    const struct store_turn *turn;
    struct turn_place turn_place;
    const struct store_answer *stored;
};

static bool end_prepare(struct ledger *ledger, const struct store_workflow_end *end, struct end_rest *out,
                        struct err *err) {
    *out = (struct end_rest){.turn = end->turn, .stored = end->stored};
    if (out->turn != NULL && !sqlite_turn_find(ledger, out->turn, &out->turn_place, err)) {
        if (err->code != ERR_CONFLICT) {
            return false;
        }
        out->turn = NULL;
    }
    if (out->turn != NULL && out->turn_place.number == 0) {
        out->turn = NULL;
        out->stored = NULL;
    }
    return true;
}

/* One that is there already stays. */
static bool end_answer(struct ledger *ledger, const struct store_workflow_end *end, const struct end_rest *rest,
                       const struct workflow_place *at, const char *account_id, struct err *err) {
    struct ledger_account *account;
    bool free, room = true;
    if (rest->stored == NULL) {
        return true;
    }
    return ledger_find_account(ledger, account_id, &account, err) &&
           sqlite_answer_room(ledger->db, rest->stored, end->ended_ms, &free, err) &&
           (!rest->stored->spare || sqlite_answer_fits(ledger->db, account->number, rest->stored, &room, err)) &&
           (!free || !room ||
            sqlite_answer_add(ledger->db, rest->stored, account->number,
                              rest->turn != NULL ? &rest->turn_place : &at->place, err));
}

static bool end_texts(struct sqlite_db *db, const struct store_workflow_end *end, const struct workflow_place *at,
                      struct err *err) {
    const struct str texts[] = {end->text, end->error, end->extra};
    struct buf rooms[COUNT_OF(texts)];
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_TEXTS_END);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_init(&rooms[i], texts[i].len + SEAL_EXTRA);
        sqlite_bind_sealed(&binder, &at->place, texts[i], &rooms[i]);
    }
    sqlite_bind_int(&binder, at->number);
    const bool ok = sqlite_run(db, SQL_WORKFLOW_TEXTS_END, err);
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        buf_clear(&rooms[i]);
    }
    return ok;
}

static bool end_row(struct sqlite_db *db, const struct store_workflow_end *end, const struct workflow_place *at,
                    struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_END);
    sqlite_bind_int(&binder, end->status);
    sqlite_bind_int(&binder, end->ended_ms);
    sqlite_bind_int(&binder, at->number);
    return sqlite_run(db, SQL_WORKFLOW_END, err);
}

static bool end_event(struct ledger *ledger, const struct store_workflow_end *end, const char *account_id,
                      struct err *err) {
    const struct store_event event = {.account_id = account_id,
                                      .kind = STORE_EVENT_WORKFLOW_COMPLETED,
                                      .created_ms = end->ended_ms,
                                      .data = end->event};
    return end->event.len == 0 || sqlite_event_rows.add(&ledger->db->connection, &event, err);
}

static bool end_write(struct ledger *ledger, const struct store_workflow_end *end, const char *account_id,
                      struct err *err) {
    struct sqlite_db *db = ledger->db;
    struct workflow_place at;
    struct end_rest rest;
    bool found;
    if (!sqlite_workflow_place(db, end->id, &at, &found, err) || !end_prepare(ledger, end, &rest, err) ||
        !end_row(db, end, &at, err)) {
        return false;
    }
    return sqlite_no_refusal(end_texts(db, end, &at, err) && end_answer(ledger, end, &rest, &at, account_id, err) &&
                                 (rest.turn == NULL || sqlite_turn_write(db, rest.turn, &rest.turn_place, err)) &&
                                 end_event(ledger, end, account_id, err),
                             err);
}

/* Nobody can tell its own end, told once more because nobody knew whether it had arrived, from the first time. */
static bool is_told_again(const struct store_workflow *workflow, const struct store_workflow_end *end) {
    return workflow->status == end->status && workflow->ended_ms == end->ended_ms;
}

static bool workflow_end(struct store_connection *connection, const struct store_workflow_end *end,
                         struct store_workflow_found *out, bool *changed, struct err *err) {
    struct store_workflow *workflow = &out->workflow;
    if (!sqlite_workflow_find(connection, end->account_id, end->test, end->id, out, err)) {
        return false;
    }
    *changed = workflow->status == STORE_WORKFLOW_RUNNING || is_told_again(workflow, end);
    if (workflow->status != STORE_WORKFLOW_RUNNING) {
        return true;
    }
    workflow->status = end->status;
    workflow->ended_ms = end->ended_ms;
    workflow->request = STR("");
    workflow->answer = arena_copy(&out->texts, end->text);
    workflow->error = arena_copy(&out->texts, end->error);
    workflow->extra = arena_copy(&out->texts, end->extra);
    return end_write(ledger_of(connection), end, workflow->account_id, err);
}

static bool workflow_forget(struct store_connection *connection, const char *id, bool *done, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_FORGET);
    sqlite_bind_text(&binder, id);
    if (!sqlite_run(db, SQL_WORKFLOW_FORGET, err)) {
        return false;
    }
    *done = sqlite_changes(db) > 0;
    return true;
}

static bool workflow_purge(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more,
                           struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_PURGE);
    sqlite_bind_int(&binder, before_ms);
    sqlite_bind_int(&binder, (int64_t)limit);
    if (!sqlite_run(db, SQL_WORKFLOW_PURGE, err)) {
        return false;
    }
    *more = sqlite_changes(db) == limit;
    return true;
}

const struct store_workflow_rows sqlite_workflow_rows = {
    .find = sqlite_workflow_find,
    .add = workflow_add,
    .end = workflow_end,
    .step_put = sqlite_step_put,
    .list = sqlite_workflow_list,
    .open = sqlite_workflows_open,
    .step_history = sqlite_step_history,
    .forget = workflow_forget,
    .purge = workflow_purge,
};
