#include "workflow/waits.h"

enum waiting workflow_step_waits(const struct workflow_step *step) {
    const bool low = calls_disk_is_low(step->workflow->all->calls);
    switch (step->phase) {
    case STEP_IDLE:
    case STEP_BEGINNING:
    case STEP_READING:
    case STEP_STORING:
        return WAITING_NOT;
    case STEP_UNDER_WAY:
        return step->begun ? WAITING_NOT : WAITING_DEVICE;
    case STEP_WAITING:
        return low ? WAITING_DISK : step->patience.waits_for == WAITING_NOT ? WAITING_RETRY : step->patience.waits_for;
    case STEP_UNSTORED:
        break;
    }
    return low ? WAITING_DISK : WAITING_RETRY;
}

enum waiting workflow_waits(const struct workflow *workflow) {
    enum waiting found = WAITING_NOT;
    if (workflow == NULL || workflow->state != WORKFLOW_RUNNING) {
        return WAITING_NOT;
    }
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        const struct workflow_step *step = workflow->steps[i];
        const enum waiting waits = workflow_step_waits(step);
        if (step->phase != STEP_IDLE && waits == WAITING_NOT) {
            return WAITING_NOT;
        }
        found = found == WAITING_NOT ? waits : found;
    }
    if (found == WAITING_NOT && workflow->wants_room) {
        return calls_disk_is_low(workflow->all->calls) ? WAITING_DISK : WAITING_LIMIT;
    }
    return found;
}

enum waiting workflow_waits_at(const struct workflow *workflow, uint32_t number) {
    return workflow != NULL && workflow->state == WORKFLOW_RUNNING && number < workflow->step_count
               ? workflow_step_waits(workflow->steps[number])
               : WAITING_NOT;
}
