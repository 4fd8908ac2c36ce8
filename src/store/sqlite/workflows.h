/* The rows of store/workflows.h: added, ended, deleted here; steps.h and workflow_reads.h have the rest. Errors as in
 * db.h. */
#ifndef NATARIS_STORE_SQLITE_WORKFLOWS_H
#define NATARIS_STORE_SQLITE_WORKFLOWS_H

#include "store/sqlite/ledger.h"
#include "store/workflows.h"

extern const struct store_workflow_rows sqlite_workflow_rows;

#endif
