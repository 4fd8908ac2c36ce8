/* Steps of workflows on the writer's side. A refusal has written nothing. */
#ifndef NATARIS_STORE_SQLITE_STEPS_H
#define NATARIS_STORE_SQLITE_STEPS_H

#include "store/generations.h"
#include "store/sqlite/ledger.h"
#include "store/sqlite/sealed.h"
#include "store/workflows.h"

/* Of a workflow's row: where it is, and under which key its texts are (place.number 0: under none). */
struct workflow_place {
    int64_t number;
    enum store_workflow_status status;
    int64_t account_number;
    struct turn_place place;
};
MUST_CHECK bool sqlite_workflow_place(struct sqlite_db *db, const char *id, struct workflow_place *out, bool *found,
                                      struct err *err);

MUST_CHECK bool sqlite_step_put(struct store_connection *connection, const char *workflow_id,
                                const struct store_step *step, const uint8_t *answer_scope, struct err *err);
/* A step's run is settled under its id: the step and its workflow have cost that, also when the run was cancelled and
 * the step has ended meanwhile. Nothing when there is no such step (any more). */
MUST_CHECK bool sqlite_step_paid(struct sqlite_db *db, const struct store_generation *job, struct err *err);
/* The conversation of the step that is settled under this id: number 0 when there is none. */
MUST_CHECK bool sqlite_step_place(struct sqlite_db *db, const char *run_id, struct turn_place *out, bool *found,
                                  struct err *err);

#endif
