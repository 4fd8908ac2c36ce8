#include "jobs/jobs.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "jobs/entry.h"
#include "workflow/waits.h"

#include <stdlib.h>

/* --- Places --- */

bool jobs_reserve(struct jobs *jobs, const struct auth_identity *identity, struct fault *fault) {
    if (jobs->total >= JOBS_TOTAL_MAX) {
        fault_set(fault, FAULT_UNAVAILABLE, "Too many jobs wait. Retry later.");
        fault->retry_after_ms = PATIENCE_MAX_MS;
        return false;
    }
    struct job_account *account = job_account_get(jobs, identity->account_id, identity->kind == STORE_KEY_TEST);
    if (account->open >= JOBS_OPEN_MAX) {
        fault_set(fault, FAULT_RATE_LIMIT_EXCEEDED, "%d jobs of this account have not ended yet. Retry when some have.",
                  JOBS_OPEN_MAX);
        fault->retry_after_ms = PATIENCE_MAX_MS;
        return false;
    }
    account->open++;
    jobs->total++;
    return true;
}

void jobs_release(struct jobs *jobs, const char *account_id, bool test) {
    job_account_put(jobs, job_account_get(jobs, account_id, test));
}

void jobs_add(struct jobs *jobs, const struct store_job *job) {
    if (job_queue_find(jobs, job->id) == NULL && job->state < STORE_JOB_COMPLETED) {
        (void)job_queue_add(jobs, job);
    }
}

/* --- The queue --- */

static void on_read(void *context, const struct store_job *job, bool changed, const struct err *err) {
    struct job_entry *entry = context;
    (void)changed;
    entry->account->reading--;
    if (entry->cancelled || (err != NULL && err->code == ERR_NOT_FOUND) ||
        (err == NULL && job->state >= STORE_JOB_COMPLETED)) {
        entry->account->active--;
        job_queue_remove(entry);
    } else if (err != NULL) {
        entry->account->active--;
        patience_pause(&entry->patience, loop_now_ms(entry->jobs->calls->loop), PATIENCE_MIN_MS);
        job_queue_wait(entry);
    } else {
        job_entry_run(entry, job->body);
    }
}

static bool account_has_room(const struct jobs *jobs, const struct job_account *account) {
    const struct calls *calls = jobs->calls;
    const struct auth_identity *identity;
    struct core_account_view view;
    struct err err;
    if (calls->draining || calls_disk_is_low(calls) || account->active >= JOBS_ACTIVE_MAX ||
        loop_now_ms(calls->loop) < account->try_at_ms) {
        return false;
    }
    return account->key.test || !auth_find_key(calls->auth, account->waiting->job.key_id, &identity, &err) ||
           !calls->backend.account_view(calls->backend.context, identity, &view) || view.concurrent == 0 ||
           view.active + account->reading < view.concurrent;
}

static void account_start(struct jobs *jobs, struct job_account *account) {
    struct job_entry *entry = account->waiting, *next;
    for (; entry != NULL && account_has_room(jobs, account); entry = next) {
        next = entry->next;
        if (!patience_is_due(&entry->patience, jobs->calls, str_from(entry->job.model))) {
            continue;
        }
        job_queue_take(entry);
        entry->state = ENTRY_READING;
        account->active++;
        account->reading++;
        store_job_find(jobs->calls->store, account->key.id, account->key.test, entry->job.id, on_read, entry);
    }
}

static void tick_due(void *context) {
    struct jobs *jobs = context;
    struct job_account *account, *next;
    HASH_ITER (hh, jobs->accounts, account, next) {
        account_start(jobs, account);
    }
    if (jobs->waiting == 0) {
        jobs->ticking = false;
        loop_timer_stop(jobs->tick);
    }
}

static enum waiting entry_waits(const struct job_entry *entry) {
    const struct jobs *jobs = entry->jobs;
    const uint64_t now_ms = loop_now_ms(jobs->calls->loop);
    switch (entry->state) {
    case ENTRY_WAITING:
        if (now_ms >= entry->account->try_at_ms &&
            !patience_is_due(&entry->patience, jobs->calls, str_from(entry->job.model))) {
            return entry->patience.waits_for == WAITING_NOT ? WAITING_RETRY : entry->patience.waits_for;
        }
        return jobs->calls->draining || account_has_room(jobs, entry->account) ? WAITING_NOT : WAITING_LIMIT;
    case ENTRY_RUNNING:
        if (entry->workflow != NULL) {
            return workflow_waits(entry->workflow);
        }
        return entry->job.state == STORE_JOB_QUEUED ? WAITING_DEVICE : WAITING_NOT;
    case ENTRY_READING:
    case ENTRY_ENDING:
        break;
    }
    return WAITING_NOT;
}

enum waiting jobs_waits(const struct jobs *jobs, const struct store_job *job) {
    const struct job_entry *entry = job_queue_find(jobs, job->id);
    if (job->state >= STORE_JOB_COMPLETED) {
        return WAITING_NOT;
    }
    if (job->state == STORE_JOB_QUEUED && calls_disk_is_low(jobs->calls) &&
        (entry == NULL || entry->state == ENTRY_WAITING)) {
        return WAITING_DISK;
    }
    return entry != NULL ? entry_waits(entry) : WAITING_NOT;
}

void jobs_cancel(struct jobs *jobs, const char *id) {
    struct job_entry *entry = job_queue_find(jobs, id);
    if (entry == NULL) {
        return;
    }
    switch (entry->state) {
    case ENTRY_WAITING:
        job_entry_stop(entry);
        job_queue_take(entry);
        job_queue_remove(entry);
        break;
    case ENTRY_READING:
        job_entry_stop(entry);
        entry->cancelled = true;
        break;
    case ENTRY_RUNNING:
        job_entry_stop(entry);
        entry->account->active--;
        job_queue_remove(entry);
        break;
    case ENTRY_ENDING: /* the store has decided already */
        break;
    }
}

/* --- Life --- */

static void on_purged(void *context, bool more) {
    const struct jobs *jobs = context;
    loop_timer_start(jobs->purge, more ? PATIENCE_MIN_MS : JOBS_PURGE_MS, 0);
}

static void purge_due(void *context) {
    struct jobs *jobs = context;
    store_job_purge(jobs->calls->store, clock_wall_ms() - STORE_JOB_KEPT_MS, on_purged, jobs);
}

struct jobs *jobs_new(struct calls *calls, struct workflows *workflows, const struct formats *formats) {
    struct jobs *jobs = MEM_NEW(struct jobs);
    jobs->calls = calls;
    jobs->workflows = workflows;
    jobs->formats = formats;
    jobs->tick = loop_timer_new(calls->loop, tick_due, jobs);
    jobs->purge = loop_timer_new(calls->loop, purge_due, jobs);
    return jobs;
}

void jobs_free(struct jobs *jobs) {
    if (jobs == NULL) {
        return;
    }
    struct job_entry *entry = jobs->entries, *next_entry;
    HASH_CLEAR(hh, jobs->entries); /* the elements stay linked */
    for (; entry != NULL; entry = next_entry) {
        next_entry = entry->hh.next;
        free(entry->ignored);
        free(entry->echo);
        free(entry);
    }
    struct job_account *account = jobs->accounts, *next_account;
    HASH_CLEAR(hh, jobs->accounts);
    for (; account != NULL; account = next_account) {
        next_account = account->hh.next;
        free(account);
    }
    loop_timer_free(jobs->tick);
    loop_timer_free(jobs->purge);
    free(jobs);
}

static void on_open(void *context, const struct store_job *list, size_t count, bool more, const struct err *err) {
    struct jobs *jobs = context;
    if (err != NULL) {
        LOG_ERROR_EVENT("jobs.not_read", LOG_TEXT("error", err->message));
        return;
    }
    for (size_t i = 0; i < count; i++) {
        struct store_job job = list[i];
        if (job_queue_find(jobs, job.id) != NULL) { /* it came in this moment */
            continue;
        }
        if (job.state == STORE_JOB_RUNNING) {
            job.state = STORE_JOB_QUEUED;
            job.started_ms = 0;
            store_job_move(jobs->calls->store, job.id, STORE_JOB_QUEUED, 0);
        }
        job_queue_add(jobs, &job)->again = true;
    }
    LOG_INFO_EVENT("jobs.open", LOG_INT("jobs", count), LOG_INT("more", more));
}

void jobs_open(struct jobs *jobs) {
    const struct store_job_query query = {.state = -1, .limit = JOBS_TOTAL_MAX};
    store_job_list(jobs->calls->store, &query, on_open, jobs);
    purge_due(jobs);
}
