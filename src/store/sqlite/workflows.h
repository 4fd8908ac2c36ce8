/* The rows of store_workflows.h; as in sqlite_rows.h. */
#ifndef NATARIS_STORE_SQLITE_WORKFLOWS_H
#define NATARIS_STORE_SQLITE_WORKFLOWS_H

#include "store/sqlite/conversations.h"
#include "store/workflows.h"

/* Of a workflow's row: where it is, and under which key its texts are (place.number 0: under none). */
struct workflow_place {
    int64_t number;
    int status;
    struct turn_place place;
};

/* A workflow with all that it has. Zeroed is empty; sqlite_workflow_clear. */
struct workflow_row {
    struct workflow_place at;
    struct store_workflow workflow;
    struct store_step *steps; /* owned */
    size_t step_count, step_capacity;
    struct arena texts;
};
void sqlite_workflow_clear(struct workflow_row *row);

/* sqlite_workflow_reads.c: for both threads. */
/* `account_id` empty: whosever it is. ERR_NOT_FOUND. */
MUST_CHECK bool sqlite_workflow_find(struct sqlite_db *db, const char *account_id, bool test, const char *id,
                                     struct workflow_row *out, struct err *err);
struct workflow_page {
    struct store_workflow rows[STORE_WORKFLOW_LIST_MAX];
    size_t count;
    bool more;
    int64_t total;
};
MUST_CHECK bool sqlite_workflow_list(struct sqlite_db *db, const struct store_workflow_query *query,
                                     struct workflow_page *out, struct err *err);
/* `open` is on the heap, also when false. */
MUST_CHECK bool sqlite_workflows_open(struct sqlite_db *db, struct store_workflow_open **open, size_t *count,
                                      struct err *err);
struct step_history_query {
    char account_id[STORE_ID_MAX], model[STORE_MODEL_MAX];
    bool test;
    int kind;
};
MUST_CHECK bool sqlite_step_history(struct sqlite_db *db, const struct step_history_query *query,
                                    struct store_step_history out[STORE_STEP_NAMES_MAX], size_t *count,
                                    struct err *err);

/* sqlite_workflows.c: for the writer. A refusal has written nothing. */
/* `existing` (empty: none) is the id of the workflow that is there already; then nothing was written. */
MUST_CHECK bool sqlite_workflow_add(struct ledger *ledger, const struct store_workflow_new *asked,
                                    char existing[STORE_ID_MAX], struct err *err);
MUST_CHECK bool sqlite_step_put(struct sqlite_db *db, const char *workflow_id, const struct store_step *step,
                                const uint8_t *answer_scope, struct err *err);
/* A step's run is settled under its id: the step and its workflow have cost that, also when the run was cancelled and the step
 * has ended meanwhile. Nothing when there is no such step (any more). */
MUST_CHECK bool sqlite_step_paid(struct sqlite_db *db, const struct store_generation *job, struct err *err);
/* The conversation of the step that is settled under this id: number 0 when there is none. */
MUST_CHECK bool sqlite_step_place(struct sqlite_db *db, const char *run_id, struct turn_place *out, bool *found,
                                  struct err *err);
/* `row` is what sqlite_workflow_find has found and becomes what it is then. Not `changed`: it had ended before. */
MUST_CHECK bool sqlite_workflow_end(struct ledger *ledger, const struct store_workflow_end *end,
                                    struct workflow_row *row, bool *changed, struct err *err);
MUST_CHECK bool sqlite_workflow_purge(struct sqlite_db *db, int64_t before_ms, int limit, bool *more, struct err *err);

#endif
