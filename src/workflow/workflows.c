#include "workflow/workflows.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "workflow/pump.h"
#include "workflow/start.h"

#include <stdlib.h>

static void tick_due(void *context) {
    struct workflows *workflows = context;
    struct workflow *workflow, *next;
    bool waits = false;
    HASH_ITER (hh, workflows->list, workflow, next) {
        if (pump_waits(workflow)) {
            waits = true;
            /* A callback may end any workflow, also the next: those wait for the store first, so `next` stays. */
            pump_tick(workflow);
        }
    }
    if (!waits || workflows->calls->draining) {
        workflows->ticking = false;
        loop_timer_stop(workflows->tick);
    }
}

static void on_purged(void *context, bool more) {
    const struct workflows *workflows = context;
    loop_timer_start(workflows->purge, more ? WORKFLOW_RETRY_MIN_MS : WORKFLOWS_PURGE_MS, 0);
}

static void purge_due(void *context) {
    struct workflows *workflows = context;
    store_workflow_purge(workflows->calls->store, clock_wall_ms() - STORE_WORKFLOW_KEPT_MS, on_purged, workflows);
}

struct workflows *workflows_new(struct calls *calls) {
    struct workflows *workflows = MEM_NEW(struct workflows);
    workflows->calls = calls;
    workflows->pump = pump_workflow;
    workflows->parser = json_parser_new(WORKFLOW_REQUEST_BYTES, LIMIT_JSON_DEPTH);
    workflows->tick = loop_timer_new(calls->loop, tick_due, workflows);
    workflows->purge = loop_timer_new(calls->loop, purge_due, workflows);
    return workflows;
}

void workflows_free(struct workflows *workflows) {
    if (workflows == NULL) {
        return;
    }
    struct workflow *workflow, *next;
    HASH_ITER (hh, workflows->list, workflow, next) {
        workflow->asked_store = 0;
        workflow_drop(workflow);
    }
    json_parser_free(workflows->parser);
    loop_timer_free(workflows->tick);
    loop_timer_free(workflows->purge);
    free(workflows);
}

static void on_found(void *context, const struct store_workflow *row, const struct store_step *steps, size_t count,
                     bool changed, const struct err *err) {
    struct workflow *workflow = context;
    (void)changed;
    if (!workflow_answered(workflow)) {
        return;
    }
    if (err != NULL) {
        workflow_lost(workflow, err);
    } else {
        workflow_go_on(workflow, row, steps, count);
    }
}

static void on_open(void *context, const struct store_workflow_open *open, size_t count, const struct err *err) {
    struct workflows *workflows = context;
    if (err != NULL) {
        LOG_ERROR_EVENT("workflows.not_read", LOG_TEXT("error", err->message));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        if (workflow_find(workflows, open[i].id) == NULL) { /* else it came in this moment */
            struct workflow *workflow = workflow_new(workflows, open[i].id, open[i].account_id, open[i].test);
            workflow->state = WORKFLOW_READING;
            workflow->asked_store++;
            store_workflow_find(workflows->calls->store, open[i].account_id, open[i].test, open[i].id, on_found,
                                workflow);
        }
    }
    LOG_INFO_EVENT("workflows.open", LOG_INT("workflows", count));
}

void workflows_open(struct workflows *workflows) {
    store_workflows_open(workflows->calls->store, on_open, workflows);
    purge_due(workflows);
}

void workflows_drain(struct workflows *workflows) {
    struct workflow *workflow, *next;
    HASH_ITER (hh, workflows->list, workflow, next) {
        workflow_pump(workflow);
    }
}
