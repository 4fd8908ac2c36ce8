/* Workflows as they are stored: the core's enums and the store's, which have numbers of their own on disk. Each pair
 * has one switch in each direction, and they are here. */
#ifndef NATARIS_WORKFLOW_STORED_H
#define NATARIS_WORKFLOW_STORED_H

#include "core/workflow.h"
#include "store/workflows.h"

enum store_workflow_kind workflow_stored_kind(enum core_workflow_kind kind);
enum core_workflow_kind workflow_core_kind(enum store_workflow_kind kind);
enum store_workflow_status workflow_stored_status(enum core_workflow_status status);
enum core_workflow_status workflow_core_status(enum store_workflow_status status);
enum store_step_name workflow_stored_step_name(enum core_step_name name);
enum core_step_name workflow_core_step_name(enum store_step_name name);
enum store_step_outcome workflow_stored_outcome(enum core_step_outcome outcome);
enum core_step_outcome workflow_core_outcome(enum store_step_outcome outcome);

#endif
