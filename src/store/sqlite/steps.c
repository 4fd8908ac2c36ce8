#include "store/sqlite/steps.h"

#include "store/generations.h"
#include "store/sqlite/quotas.h"

#include <string.h>

bool sqlite_workflow_place(struct sqlite_db *db, const char *id, struct workflow_place *out, bool *found,
                           struct err *err) {
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
        out->status = (enum store_workflow_status)sqlite_read_int(&reader);
        out->account_number = sqlite_read_int(&reader);
        sqlite_reset(db, SQL_WORKFLOW_PLACE);
    }
    return true;
}

/* What is known of a step: nothing when `state` is negative. */
struct step_known {
    int64_t state, prompt_tokens, completion_tokens, cost_nano, ended_ms;
    char run_id[STORE_ID_MAX];
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
        out->ended_ms = sqlite_read_int(&reader);
        sqlite_read_text(&reader, out->run_id, sizeof(out->run_id));
        sqlite_reset(db, SQL_STEP_STATE);
    }
    return true;
}

/* Its end, told once more because nobody knew whether it had arrived. */
static bool is_told_again(const struct store_step *step, const struct step_known *known) {
    return known->state >= STORE_STEP_DONE && (int64_t)step->state == known->state &&
           step->ended_ms == known->ended_ms && strcmp(step->run_id, known->run_id) == 0;
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
    sqlite_bind_int(&binder, step->scale);
    sqlite_bind_int(&binder, step->shrunk);
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
    const bool begins = !step->local && known->state < STORE_STEP_RUNNING && step->state >= STORE_STEP_RUNNING;
    const struct step_known more = {
        .prompt_tokens = most(step->prompt_tokens, known->prompt_tokens) - known->prompt_tokens,
        .completion_tokens = most(step->completion_tokens, known->completion_tokens) - known->completion_tokens,
        .cost_nano = most(step->cost_nano, known->cost_nano) - known->cost_nano,
    };
    return workflow_sum(db, workflow_number, &more, begins, err);
}

/* `scope` NULL: nothing to do. */
static bool answer_drop(struct sqlite_db *db, const uint8_t *scope, struct err *err) {
    if (scope == NULL) {
        return true;
    }
    struct sqlite_binder binder = sqlite_bind(db, SQL_ANSWER_DELETE);
    sqlite_bind_blob(&binder, scope, DIGEST_SHA256_SIZE);
    return sqlite_run(db, SQL_ANSWER_DELETE, err);
}

bool sqlite_step_put(struct store_connection *connection, const char *workflow_id, const struct store_step *step,
                     const uint8_t *answer_scope, struct err *err) {
    struct sqlite_db *db = sqlite_db_of(connection);
    struct workflow_place at;
    struct step_known known;
    bool found;
    if (!sqlite_workflow_place(db, workflow_id, &at, &found, err)) {
        return false;
    }
    if (!found) {
        return err_set_field(err, ERR_NOT_FOUND, "id", "There is no such workflow");
    }
    if (!step_know(db, at.number, step->number, &known, err)) {
        return false;
    }
    if (is_told_again(step, &known)) {
        return true;
    }
    if (at.status != STORE_WORKFLOW_RUNNING) {
        return err_set(err, ERR_CONFLICT, "The workflow %s has ended", workflow_id);
    }
    if (known.state >= STORE_STEP_DONE) {
        return err_set(err, ERR_CONFLICT, "Step %u of the workflow %s has ended", step->number, workflow_id);
    }
    if (step->state < STORE_STEP_DONE && !sqlite_quota_check_going(db, at.account_number, STORE_KEPT_WORKFLOWS, err)) {
        return false;
    }
    return step_write(db, &at, step, &known, err) &&
           sqlite_no_refusal(step_sum(db, at.number, step, &known, err) && answer_drop(db, answer_scope, err), err);
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
