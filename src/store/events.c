#include "store/events.h"

#include "store/state.h"

#include <stdatomic.h>

const char *store_event_name(enum store_event_kind kind) {
    switch (kind) {
    case STORE_EVENT_TEST:
        break;
    case STORE_EVENT_JOB_COMPLETED:
        return "job.completed";
    case STORE_EVENT_JOB_FAILED:
        return "job.failed";
    case STORE_EVENT_WORKFLOW_COMPLETED:
        return "workflow.completed";
    case STORE_EVENT_BALANCE_LOW:
        return "balance.low";
    case STORE_EVENT_USAGE_THRESHOLD:
        return "usage.threshold";
    }
    return "test";
}

bool store_event_kind_of(struct str name, enum store_event_kind *out) {
    for (int kind = STORE_EVENT_TEST + 1; kind < STORE_EVENT_KINDS; kind++) {
        if (str_equal_cstr(name, store_event_name((enum store_event_kind)kind))) {
            *out = (enum store_event_kind)kind;
            return true;
        }
    }
    return false;
}

void store_events_set_off(struct store *store, bool off) {
    atomic_store_explicit(&store->events_off, off, memory_order_relaxed);
}
