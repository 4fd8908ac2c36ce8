/* A job that has not ended yet: its place in the queue, and what runs for it (a run or a workflow), to its end in the
 * store. */
#ifndef NATARIS_JOBS_ENTRY_H
#define NATARIS_JOBS_ENTRY_H

#include "call/patience.h"
#include "call/run.h"
#include "format/format.h"
#include "jobs/jobs.h"
#include "workflow/workflow.h"

#include <uthash.h>

enum entry_state {
    ENTRY_WAITING, /* in its account's list */
    ENTRY_READING, /* its request comes from the store */
    ENTRY_RUNNING,
    ENTRY_ENDING, /* its end is on the way to the store */
};

struct job_account_key {
    char id[STORE_ID_MAX];
    bool test;
};

struct job_account {
    struct job_account_key key; /* zeroed behind its strings */
    UT_hash_handle hh;
    struct job_entry *waiting;
    size_t open;            /* entries, and places reserved */
    size_t reading, active; /* entries not waiting, of these those that are read */
    uint64_t try_at_ms;     /* loop clock: it was refused and does not try before */
};

struct job_entry {
    UT_hash_handle hh;
    struct jobs *jobs;
    struct job_account *account;
    enum entry_state state;
    struct store_job job;      /* without texts */
    struct run *run;           /* while RUNNING, or */
    struct workflow *workflow; /* this */
    bool cancelled;            /* while READING */
    bool again;                /* it may have run before */
    struct patience patience;
    struct job_entry *prev, *next;
};

struct jobs {
    struct calls *calls;
    struct workflows *workflows;
    const struct formats *formats;
    struct job_account *accounts; /* uthash */
    struct job_entry *entries;    /* uthash, by id */
    size_t total, waiting;
    struct loop_timer *tick, *purge;
    bool ticking;
};

/* There is room for it, and its request has come from the store. */
void job_entry_run(struct job_entry *entry, struct str body);
/* What runs of it is cancelled, without a word. */
void job_entry_stop(struct job_entry *entry);

#endif
