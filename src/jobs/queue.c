#include "jobs/queue.h"

#include "base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct job_account *job_account_get(struct jobs *jobs, const char *id, bool test) {
    struct job_account *account;
    struct job_account_key key;
    memset(&key, 0, sizeof(key));
    (void)str_copy(key.id, sizeof(key.id), str_from(id));
    key.test = test;
    HASH_FIND(hh, jobs->accounts, &key, sizeof(key), account);
    if (account == NULL) {
        account = MEM_NEW(struct job_account);
        memcpy(&account->key, &key, sizeof(key));
        HASH_ADD(hh, jobs->accounts, key, sizeof(key), account);
    }
    return account;
}

void job_account_put(struct jobs *jobs, struct job_account *account) {
    account->open--;
    jobs->total--;
    if (account->open == 0) {
        HASH_DEL(jobs->accounts, account);
        free(account);
    }
}

void job_queue_wait(struct job_entry *entry) {
    struct jobs *jobs = entry->jobs;
    entry->state = ENTRY_WAITING;
    DL_APPEND(entry->account->waiting, entry);
    jobs->waiting++;
    if (!jobs->ticking) {
        jobs->ticking = true;
        loop_timer_start(jobs->tick, 0, JOBS_TICK_MS);
    }
}

void job_queue_take(struct job_entry *entry) {
    DL_DELETE(entry->account->waiting, entry);
    entry->jobs->waiting--;
}

void job_queue_remove(struct job_entry *entry) {
    struct jobs *jobs = entry->jobs;
    HASH_DEL(jobs->entries, entry);
    job_account_put(jobs, entry->account);
    free(entry->ignored);
    free(entry->echo);
    free(entry);
}

struct job_entry *job_queue_find(const struct jobs *jobs, const char *id) {
    struct job_entry *entry;
    HASH_FIND_STR(jobs->entries, id, entry);
    return entry;
}

struct job_entry *job_queue_add(struct jobs *jobs, const struct store_job *job) {
    struct job_entry *entry = MEM_NEW(struct job_entry);
    entry->jobs = jobs;
    entry->job = *job;
    entry->job.body = entry->job.result = STR("");
    entry->account = job_account_get(jobs, job->account_id, job->test);
    entry->account->open++;
    jobs->total++;
    HASH_ADD_KEYPTR(hh, jobs->entries, entry->job.id, strlen(entry->job.id), entry);
    job_queue_wait(entry);
    return entry;
}
