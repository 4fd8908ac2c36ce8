/* Workflows as they are read: one with its steps, pages, what is open, what steps took. For both connections. As the
 * members of struct store_workflow_rows. */
#ifndef NATARIS_STORE_SQLITE_WORKFLOW_READS_H
#define NATARIS_STORE_SQLITE_WORKFLOW_READS_H

#include "store/sqlite/db.h"
#include "store/workflows.h"

MUST_CHECK bool sqlite_workflow_find(struct store_connection *connection, const char *account_id, bool test,
                                     const char *id, struct store_workflow_found *out, struct err *err);
MUST_CHECK bool sqlite_workflow_list(struct store_connection *connection, const struct store_workflow_query *query,
                                     struct store_workflow_page *out, struct err *err);
MUST_CHECK bool sqlite_workflows_open(struct store_connection *connection, struct store_workflow_open **rows,
                                      size_t *count, struct err *err);
MUST_CHECK bool sqlite_step_history(struct store_connection *connection, const struct store_step_history_query *query,
                                    struct store_step_history out[STORE_STEP_NAMES], size_t *count, struct err *err);

#endif
