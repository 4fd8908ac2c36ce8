#include "workflow/workflow.h"

#include "base/log.h"
#include "base/mem.h"

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

/* --- The list of those that are alive --- */

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

bool workflow_has_room(const struct workflows *workflows, const struct auth_identity *identity, struct fault *fault) {
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

struct workflow *workflow_find(const struct workflows *workflows, const char *id) {
    struct workflow *workflow;
    HASH_FIND_STR(workflows->list, id, workflow);
    return workflow;
}

void workflow_wait(const struct workflow *workflow) {
    struct workflows *workflows = workflow->all;
    if (!workflows->ticking) {
        workflows->ticking = true;
        loop_timer_start(workflows->tick, WORKFLOWS_TICK_MS, WORKFLOWS_TICK_MS);
    }
}

/* --- Life --- */

struct workflow *workflow_new(struct workflows *workflows, const char *id, const char *account_id, bool test) {
    struct workflow *workflow = MEM_NEW(struct workflow);
    workflow->all = workflows;
    (void)str_copy(workflow->row.id, sizeof(workflow->row.id), str_from(id));
    (void)str_copy(workflow->row.account_id, sizeof(workflow->row.account_id), str_from(account_id));
    workflow->row.test = test;
    arena_init(&workflow->arena, WORKFLOW_ARENA_BYTES);
    buf_init(&workflow->request_text, WORKFLOW_REQUEST_BYTES);
    buf_init(&workflow->text, LIMIT_ANSWER_BYTES);
    buf_init(&workflow->calls, WORKFLOW_REQUEST_BYTES);
    workflow->account = account_get(workflows, account_id, test);
    workflow->account->open++;
    workflows->total++;
    HASH_ADD_KEYPTR(hh, workflows->list, workflow->row.id, strlen(workflow->row.id), workflow);
    return workflow;
}

static void workflow_free(struct workflow *workflow) {
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        buf_clear(&workflow->steps[i]->output);
        free(workflow->steps[i]);
    }
    free(workflow->steps);
    free(workflow->outputs);
    core_workflow_free(workflow->core);
    arena_clear(&workflow->arena);
    buf_clear(&workflow->request_text);
    buf_clear(&workflow->text);
    buf_clear(&workflow->calls);
    free(workflow);
}

void workflow_drop(struct workflow *workflow) {
    workflow->state = WORKFLOW_ENDED;
    HASH_DEL(workflow->all->list, workflow);
    account_put(workflow->all, workflow->account);
    workflow->all->total--;
    if (workflow->asked_store == 0) {
        workflow_free(workflow);
    }
}

bool workflow_answered(struct workflow *workflow) {
    workflow->asked_store--;
    if (workflow->state != WORKFLOW_ENDED) {
        return true;
    }
    if (workflow->asked_store == 0) {
        workflow_free(workflow);
    }
    return false;
}

void workflow_pump(struct workflow *workflow) {
    workflow->all->pump(workflow);
}

struct workflow_scene workflow_scene_of(const struct workflow *workflow, uint32_t scale) {
    struct tokens_rates rates = workflow->rates;
    tokens_rates_scale(&rates, 100 * (uint64_t)scale);
    return (struct workflow_scene){.request = &workflow->request,
                                   .asked = &workflow->asked,
                                   .workflow = workflow->core,
                                   .outputs = workflow->outputs,
                                   .chunks = workflow->chunks,
                                   .now_ms = workflow->row.created_ms,
                                   .context_length = workflow->context_length,
                                   .rates = rates};
}

void workflow_tell_failed(struct workflow *workflow, const struct fault *fault) {
    const struct workflow_events *events = workflow->events;
    workflow->events = NULL;
    if (events != NULL) {
        events->on_failed(workflow->context, workflow->row.id, fault);
    }
}

void workflow_fault_cancelled(struct fault *fault) {
    fault_set(fault, FAULT_INVALID_REQUEST, "The workflow was cancelled.");
}

void workflow_lost(struct workflow *workflow, const struct err *err) {
    struct fault fault;
    if (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) {
        workflow_fault_cancelled(&fault);
    } else {
        fault_from_err(&fault, err);
    }
    LOG_WARN_EVENT("workflow.lost", LOG_TEXT("workflow", workflow->row.id), LOG_TEXT("error", err->message));
    for (uint32_t i = 0; i < workflow->step_count; i++) {
        struct workflow_step *step = workflow->steps[i];
        if (step->phase == STEP_UNDER_WAY) {
            run_cancel(step->run);
            step->run = NULL;
        }
        step->phase = STEP_IDLE;
    }
    workflow_tell_failed(workflow, &fault);
    workflow_drop(workflow);
}
