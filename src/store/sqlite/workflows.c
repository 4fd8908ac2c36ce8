/* Workflows on the writer's side: added, stepped, ended, deleted. */
#include "store/sqlite/workflows.h"

#include "store/sqlite/money.h"
#include "store/webhooks.h"

#include <string.h>

enum { STEP_RUNNING = 1, STEP_DONE = 2 }; /* of enum core_step_state: from DONE on, a step has ended */

static bool not_a_refusal(bool ok, struct err *err) {
    if (!ok && (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND || err->code == ERR_INVALID)) {
        err->code = ERR_INTERNAL;
    }
    return ok;
}

/* `scope` NULL: nothing to do. */
static bool run_with_scope(struct sqlite_db *db, enum sql sql, const uint8_t *scope, struct err *err) {
    if (scope == NULL) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, sql);
    sqlite_bind_blob(&binder, scope, DIGEST_SHA256_SIZE);
    return sqlite_run(db, sql, err);
}

/* --- Adding --- */

static bool place_find(struct sqlite_db *db, const char *id, struct workflow_place *out, bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_PLACE);
    sqlite_bind_text(&binder, id);
    *out = (struct workflow_place){0};
    if (!sqlite_next(db, SQL_WORKFLOW_PLACE, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_WORKFLOW_PLACE);
        out->number = sqlite_read_int(&reader);
        out->place.number = sqlite_read_int(&reader);
        sqlite_read_blob(&reader, out->place.secret, sizeof(out->place.secret));
        out->status = (int)sqlite_read_int(&reader);
        sqlite_reset(db, SQL_WORKFLOW_PLACE);
    }
    return true;
}

/* The workflow that has its id, or that has its scope and still counts. */
static bool existing_find(struct sqlite_db *db, const struct store_workflow_new *asked, char existing[STORE_ID_MAX],
                          struct err *err) {
    struct workflow_place same;
    bool found;
    existing[0] = '\0';
    if (!place_find(db, asked->workflow.id, &same, &found, err)) {
        return false;
    }
    if (found) {
        str_copy(existing, STORE_ID_MAX, str_from(asked->workflow.id));
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

bool sqlite_workflow_add(struct ledger *ledger, const struct store_workflow_new *asked, char existing[STORE_ID_MAX],
                         struct err *err) {
    const struct store_workflow *workflow = &asked->workflow;
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
    }
    return run_with_scope(db, SQL_WORKFLOW_UNSCOPE, asked->scope_sha256, err) &&
           not_a_refusal(row_add(db, asked, account->number, &place, err) &&
                             request_add(db, workflow->request, &place, err),
                         err);
}

/* --- Steps --- */

/* What is known of a step: nothing when `state` is negative. */
struct step_known {
    int64_t state, prompt_tokens, completion_tokens, cost_nano;
};

static bool step_know(struct sqlite_db *db, int64_t workflow_number, uint32_t number, struct step_known *out,
                      struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_STATE);
    sqlite_bind_int(&binder, workflow_number);
    sqlite_bind_int(&binder, number);
    *out = (struct step_known){.state = -1};
    if (!sqlite_next(db, SQL_STEP_STATE, &found, err)) {
        return false;
    }
    if (found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_STEP_STATE);
        out->state = sqlite_read_int(&reader);
        out->prompt_tokens = sqlite_read_int(&reader);
        out->completion_tokens = sqlite_read_int(&reader);
        out->cost_nano = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_STEP_STATE);
    }
    return true;
}

/* Its settlement may have told more already (sqlite_step_paid): a step whose run was cancelled knows nothing of it. */
static int64_t most(int64_t a, int64_t b) {
    return a > b ? a : b;
}

static bool step_write(struct sqlite_db *db, const struct workflow_place *at, const struct store_step *step,
                       const struct step_known *known, struct err *err) {
    struct buf output;
    buf_init(&output, step->output.len + SEAL_EXTRA);
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_PUT);
    sqlite_bind_int(&binder, at->number);
    sqlite_bind_int(&binder, step->number);
    sqlite_bind_int(&binder, step->name);
    sqlite_bind_int(&binder, step->state);
    sqlite_bind_int(&binder, step->outcome);
    sqlite_bind_int(&binder, step->local);
    sqlite_bind_int(&binder, step->round);
    sqlite_bind_int(&binder, step->part);
    sqlite_bind_text(&binder, step->run_id);
    sqlite_bind_blob(&binder, step->prompt_sha256, sizeof(step->prompt_sha256));
    sqlite_bind_int(&binder, step->max_tokens);
    sqlite_bind_int(&binder, step->hold_nano);
    sqlite_bind_int(&binder, most(step->prompt_tokens, known->prompt_tokens));
    sqlite_bind_int(&binder, most(step->completion_tokens, known->completion_tokens));
    sqlite_bind_int(&binder, most(step->cost_nano, known->cost_nano));
    sqlite_bind_text(&binder, step->provider_id);
    sqlite_bind_int(&binder, step->started_ms);
    sqlite_bind_int(&binder, step->ended_ms);
    sqlite_bind_sealed(&binder, &at->place, step->output, &output);
    const bool ok = sqlite_run(db, SQL_STEP_PUT, err);
    buf_clear(&output);
    return ok;
}

static bool workflow_sum(struct sqlite_db *db, int64_t workflow_number, const struct step_known *more, bool begins,
                         struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_SUM);
    sqlite_bind_int(&binder, begins);
    sqlite_bind_int(&binder, more->prompt_tokens);
    sqlite_bind_int(&binder, more->completion_tokens);
    sqlite_bind_int(&binder, more->cost_nano);
    sqlite_bind_int(&binder, workflow_number);
    return sqlite_run(db, SQL_WORKFLOW_SUM, err);
}

/* A generation counts once it has begun; tokens and cost when it is settled, or has ended. */
static bool step_sum(struct sqlite_db *db, int64_t workflow_number, const struct store_step *step,
                     const struct step_known *known, struct err *err) {
    const bool begins = !step->local && known->state < STEP_RUNNING && step->state >= STEP_RUNNING;
    const struct step_known more = {
        .prompt_tokens = most(step->prompt_tokens, known->prompt_tokens) - known->prompt_tokens,
        .completion_tokens = most(step->completion_tokens, known->completion_tokens) - known->completion_tokens,
        .cost_nano = most(step->cost_nano, known->cost_nano) - known->cost_nano,
    };
    return workflow_sum(db, workflow_number, &more, begins, err);
}

bool sqlite_step_put(struct sqlite_db *db, const char *workflow_id, const struct store_step *step,
                     const uint8_t *answer_scope, struct err *err) {
    struct workflow_place at;
    struct step_known known;
    bool found;
    if (!place_find(db, workflow_id, &at, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such workflow");
    }
    if (at.status != 0) {
        return err_set(err, ERR_CONFLICT, "The workflow %s has ended", workflow_id);
    }
    if (!step_know(db, at.number, step->number, &known, err)) {
        return false;
    }
    if (known.state >= STEP_DONE) {
        return err_set(err, ERR_CONFLICT, "Step %u of the workflow %s has ended", step->number, workflow_id);
    }
    return step_write(db, &at, step, &known, err) &&
           not_a_refusal(step_sum(db, at.number, step, &known, err) &&
                             run_with_scope(db, SQL_ANSWER_DELETE, answer_scope, err),
                         err);
}

bool sqlite_step_paid(struct sqlite_db *db, const struct store_generation *job, struct err *err) {
    bool found;
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_PAID);
    sqlite_bind_int(&binder, job->prompt_tokens);
    sqlite_bind_int(&binder, job->completion_tokens);
    sqlite_bind_int(&binder, job->charge_nano);
    sqlite_bind_text(&binder, job->id);
    if (!sqlite_next(db, SQL_STEP_PAID, &found, err)) {
        return false;
    }
    if (!found) {
        return true;
    }
    struct sqlite_reader reader = sqlite_read(db, SQL_STEP_PAID);
    const int64_t workflow_number = sqlite_read_int(&reader);
    const struct step_known paid = {.prompt_tokens = job->prompt_tokens,
                                    .completion_tokens = job->completion_tokens,
                                    .cost_nano = job->charge_nano};
    sqlite_reset(db, SQL_STEP_PAID);
    return workflow_sum(db, workflow_number, &paid, false, err);
}

bool sqlite_step_place(struct sqlite_db *db, const char *run_id, struct turn_place *out, bool *found, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_STEP_PLACE);
    sqlite_bind_text(&binder, run_id);
    *out = (struct turn_place){0};
    if (!sqlite_next(db, SQL_STEP_PLACE, found, err)) {
        return false;
    }
    if (*found) {
        struct sqlite_reader reader = sqlite_read(db, SQL_STEP_PLACE);
        out->number = sqlite_read_int(&reader);
        sqlite_read_blob(&reader, out->secret, sizeof(out->secret));
        sqlite_reset(db, SQL_STEP_PLACE);
    }
    return true;
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
static bool end_answer(struct sqlite_db *db, const struct store_workflow_end *end, const struct end_rest *rest,
                       const struct workflow_place *at, struct err *err) {
    bool room;
    if (rest->stored == NULL) {
        return true;
    }
    return sqlite_answer_room(db, rest->stored, end->ended_ms, &room, err) &&
           (!room || sqlite_answer_add(db, rest->stored, rest->turn != NULL ? &rest->turn_place : &at->place, err));
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
    return end->event.len == 0 || store_event_add(ledger, &event, err);
}

static bool end_write(struct ledger *ledger, const struct store_workflow_end *end, const struct workflow_row *row,
                      struct err *err) {
    struct sqlite_db *db = ledger->db;
    struct end_rest rest;
    if (!end_prepare(ledger, end, &rest, err) || !end_row(db, end, &row->at, err)) {
        return false;
    }
    return not_a_refusal(end_texts(db, end, &row->at, err) && end_answer(db, end, &rest, &row->at, err) &&
                             (rest.turn == NULL || sqlite_turn_write(db, rest.turn, &rest.turn_place, err)) &&
                             end_event(ledger, end, row->workflow.account_id, err),
                         err);
}

bool sqlite_workflow_end(struct ledger *ledger, const struct store_workflow_end *end, struct workflow_row *row,
                         bool *changed, struct err *err) {
    struct store_workflow *workflow = &row->workflow;
    *changed = workflow->status == 0;
    if (!*changed) {
        return true;
    }
    workflow->status = end->status;
    workflow->ended_ms = end->ended_ms;
    workflow->request = STR("");
    workflow->answer = arena_copy(&row->texts, end->text);
    workflow->error = arena_copy(&row->texts, end->error);
    workflow->extra = arena_copy(&row->texts, end->extra);
    return end_write(ledger, end, row, err);
}

bool sqlite_workflow_purge(struct sqlite_db *db, int64_t before_ms, int limit, bool *more, struct err *err) {
    struct sqlite_binder binder = sqlite_bind(db, SQL_WORKFLOW_PURGE);
    sqlite_bind_int(&binder, before_ms);
    sqlite_bind_int(&binder, limit);
    if (!sqlite_run(db, SQL_WORKFLOW_PURGE, err)) {
        return false;
    }
    *more = sqlite3_changes(db->handle) == limit;
    return true;
}
