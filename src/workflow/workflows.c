#include "workflow/workflows.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "call/patience.h"
#include "workflow/start.h"

#include <stdlib.h>
#include <string.h>

struct workflow_account_key {
    char id[STORE_ID_MAX];
    bool test;
};

struct workflow_account {
    struct workflow_account_key key; /* zeroed behind its strings */
    UT_hash_handle hh;
    size_t open;
};

/* --- Room --- */

static struct workflow_account *account_get(struct workflows *workflows, const char *id, bool test) {
    struct workflow_account *account;
    struct workflow_account_key key;
    memset(&key, 0, sizeof(key));
    (void)str_copy(key.id, sizeof(key.id), str_from(id));
    key.test = test;
    HASH_FIND(hh, workflows->accounts, &key, sizeof(key), account);
    if (account == NULL) {
        account = MEM_NEW(struct workflow_account);
        memcpy(&account->key, &key, sizeof(key));
        HASH_ADD(hh, workflows->accounts, key, sizeof(key), account);
    }
    return account;
}

static void account_put(struct workflows *workflows, struct workflow_account *account) {
    if (--account->open == 0) {
        HASH_DEL(workflows->accounts, account);
        free(account);
    }
}

bool workflows_have_room(struct workflows *workflows, const struct auth_identity *identity, struct fault *fault) {
    if (workflows->calls->draining) {
        fault_set(fault, FAULT_UNAVAILABLE, "The gateway is restarting. You were not charged.");
        fault->retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
        return false;
    }
    if (workflows->total >= WORKFLOWS_TOTAL_MAX) {
        fault_set(fault, FAULT_UNAVAILABLE, "Too many workflows run. Retry later.");
        fault->retry_after_ms = PATIENCE_MAX_MS;
        return false;
    }
    struct workflow_account_key key;
    const struct workflow_account *account;
    memset(&key, 0, sizeof(key));
    (void)str_copy(key.id, sizeof(key.id), str_from(identity->account_id));
    key.test = identity->kind == STORE_KEY_TEST;
    HASH_FIND(hh, workflows->accounts, &key, sizeof(key), account);
    if (account != NULL && account->open >= WORKFLOWS_OPEN_MAX) {
        fault_set(fault, FAULT_RATE_LIMIT_EXCEEDED,
                  "%d workflows of this account have not ended yet. Retry when some have.", WORKFLOWS_OPEN_MAX);
        fault->retry_after_ms = 4 * WORKFLOW_RETRY_MIN_MS;
        return false;
    }
    return true;
}

struct workflow *workflows_find(struct workflows *workflows, const char *id) {
    struct workflow *workflow;
    HASH_FIND_STR(workflows->list, id, workflow);
    return workflow;
}

void workflows_add(struct workflows *workflows, struct workflow *workflow) {
    workflow->account = account_get(workflows, workflow->row.account_id, workflow->row.test);
    workflow->account->open++;
    workflows->total++;
    HASH_ADD_KEYPTR(hh, workflows->list, workflow->row.id, strlen(workflow->row.id), workflow);
}

void workflows_remove(struct workflows *workflows, struct workflow *workflow) {
    HASH_DEL(workflows->list, workflow);
    account_put(workflows, workflow->account);
    workflows->total--;
}

/* --- Waiting --- */

void workflows_wake(struct workflows *workflows) {
    if (!workflows->ticking) {
        workflows->ticking = true;
        loop_timer_start(workflows->tick, WORKFLOWS_TICK_MS, WORKFLOWS_TICK_MS);
    }
}

static void tick_due(void *context) {
    struct workflows *workflows = context;
    struct workflow *workflow, *next;
    bool waits = false;
    HASH_ITER (hh, workflows->list, workflow, next) {
        if (workflow_waits(workflow)) {
            waits = true;
            /* A callback may end any workflow, also the next: those wait for the store first, so `next` stays. */
            workflow_tick(workflow);
        }
    }
    if (!waits || workflows->calls->draining) {
        workflows->ticking = false;
        loop_timer_stop(workflows->tick);
    }
}

/* --- All of them --- */

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
        if (workflows_find(workflows, open[i].id) == NULL) { /* else it came in this moment */
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
