#include "workflow/stored.h"

enum store_workflow_kind workflow_stored_kind(enum core_workflow_kind kind) {
    switch (kind) {
    case CORE_WORKFLOW_RESEARCH:
    case CORE_WORKFLOW_KINDS:
        break;
    case CORE_WORKFLOW_CODE:
        return STORE_WORKFLOW_CODE;
    case CORE_WORKFLOW_AGENT:
        return STORE_WORKFLOW_AGENT;
    case CORE_WORKFLOW_MAP_REDUCE:
        return STORE_WORKFLOW_MAP_REDUCE;
    }
    return STORE_WORKFLOW_RESEARCH;
}

enum core_workflow_kind workflow_core_kind(enum store_workflow_kind kind) {
    switch (kind) {
    case STORE_WORKFLOW_RESEARCH:
        break;
    case STORE_WORKFLOW_CODE:
        return CORE_WORKFLOW_CODE;
    case STORE_WORKFLOW_AGENT:
        return CORE_WORKFLOW_AGENT;
    case STORE_WORKFLOW_MAP_REDUCE:
        return CORE_WORKFLOW_MAP_REDUCE;
    }
    return CORE_WORKFLOW_RESEARCH;
}

enum store_workflow_status workflow_stored_status(enum core_workflow_status status) {
    switch (status) {
    case CORE_WORKFLOW_RUNNING:
    case CORE_WORKFLOW_STATUSES:
        break;
    case CORE_WORKFLOW_COMPLETED:
        return STORE_WORKFLOW_COMPLETED;
    case CORE_WORKFLOW_FAILED:
        return STORE_WORKFLOW_FAILED;
    case CORE_WORKFLOW_CANCELLED:
        return STORE_WORKFLOW_CANCELLED;
    case CORE_WORKFLOW_BUDGET_EXCEEDED:
        return STORE_WORKFLOW_BUDGET_EXCEEDED;
    case CORE_WORKFLOW_MAX_STEPS:
        return STORE_WORKFLOW_MAX_STEPS;
    case CORE_WORKFLOW_NO_ANSWER:
        return STORE_WORKFLOW_NO_ANSWER;
    }
    return STORE_WORKFLOW_RUNNING;
}

enum core_workflow_status workflow_core_status(enum store_workflow_status status) {
    switch (status) {
    case STORE_WORKFLOW_RUNNING:
        break;
    case STORE_WORKFLOW_COMPLETED:
        return CORE_WORKFLOW_COMPLETED;
    case STORE_WORKFLOW_FAILED:
        return CORE_WORKFLOW_FAILED;
    case STORE_WORKFLOW_CANCELLED:
        return CORE_WORKFLOW_CANCELLED;
    case STORE_WORKFLOW_BUDGET_EXCEEDED:
        return CORE_WORKFLOW_BUDGET_EXCEEDED;
    case STORE_WORKFLOW_MAX_STEPS:
        return CORE_WORKFLOW_MAX_STEPS;
    case STORE_WORKFLOW_NO_ANSWER:
        return CORE_WORKFLOW_NO_ANSWER;
    }
    return CORE_WORKFLOW_RUNNING;
}

enum store_step_name workflow_stored_step_name(enum core_step_name name) {
    switch (name) {
    case CORE_STEP_RESEARCH:
    case CORE_STEP_NAMES:
        break;
    case CORE_STEP_ANALYZE:
        return STORE_STEP_ANALYZE;
    case CORE_STEP_WRITE:
        return STORE_STEP_WRITE;
    case CORE_STEP_PLAN:
        return STORE_STEP_PLAN;
    case CORE_STEP_IMPLEMENT:
        return STORE_STEP_IMPLEMENT;
    case CORE_STEP_REVIEW:
        return STORE_STEP_REVIEW;
    case CORE_STEP_THINK:
        return STORE_STEP_THINK;
    case CORE_STEP_ACT:
        return STORE_STEP_ACT;
    case CORE_STEP_CHUNK:
        return STORE_STEP_CHUNK;
    case CORE_STEP_MAP:
        return STORE_STEP_MAP;
    case CORE_STEP_REDUCE:
        return STORE_STEP_REDUCE;
    }
    return STORE_STEP_RESEARCH;
}

enum core_step_name workflow_core_step_name(enum store_step_name name) {
    switch (name) {
    case STORE_STEP_RESEARCH:
        break;
    case STORE_STEP_ANALYZE:
        return CORE_STEP_ANALYZE;
    case STORE_STEP_WRITE:
        return CORE_STEP_WRITE;
    case STORE_STEP_PLAN:
        return CORE_STEP_PLAN;
    case STORE_STEP_IMPLEMENT:
        return CORE_STEP_IMPLEMENT;
    case STORE_STEP_REVIEW:
        return CORE_STEP_REVIEW;
    case STORE_STEP_THINK:
        return CORE_STEP_THINK;
    case STORE_STEP_ACT:
        return CORE_STEP_ACT;
    case STORE_STEP_CHUNK:
        return CORE_STEP_CHUNK;
    case STORE_STEP_MAP:
        return CORE_STEP_MAP;
    case STORE_STEP_REDUCE:
        return CORE_STEP_REDUCE;
    }
    return CORE_STEP_RESEARCH;
}

enum store_step_outcome workflow_stored_outcome(enum core_step_outcome outcome) {
    switch (outcome) {
    case CORE_OUTCOME_TEXT:
    case CORE_OUTCOMES:
        break;
    case CORE_OUTCOME_APPROVED:
        return STORE_STEP_APPROVED;
    case CORE_OUTCOME_FAULTS:
        return STORE_STEP_FAULTS;
    case CORE_OUTCOME_ANSWER:
        return STORE_STEP_ANSWER;
    case CORE_OUTCOME_ACTION:
        return STORE_STEP_ACTION;
    case CORE_OUTCOME_CALL:
        return STORE_STEP_CALL;
    case CORE_OUTCOME_ECHO:
        return STORE_STEP_ECHO;
    case CORE_OUTCOME_LOOP:
        return STORE_STEP_LOOP;
    }
    return STORE_STEP_TEXT;
}

enum core_step_outcome workflow_core_outcome(enum store_step_outcome outcome) {
    switch (outcome) {
    case STORE_STEP_TEXT:
        break;
    case STORE_STEP_APPROVED:
        return CORE_OUTCOME_APPROVED;
    case STORE_STEP_FAULTS:
        return CORE_OUTCOME_FAULTS;
    case STORE_STEP_ANSWER:
        return CORE_OUTCOME_ANSWER;
    case STORE_STEP_ACTION:
        return CORE_OUTCOME_ACTION;
    case STORE_STEP_CALL:
        return CORE_OUTCOME_CALL;
    case STORE_STEP_ECHO:
        return CORE_OUTCOME_ECHO;
    case STORE_STEP_LOOP:
        return CORE_OUTCOME_LOOP;
    }
    return CORE_OUTCOME_TEXT;
}
