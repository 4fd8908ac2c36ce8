/* Inside the jobs: what jobs.c (the queue) and job_run.c (a job from its turn to its end) share. */
#ifndef NATARIS_JOBS_INTERNAL_H
#define NATARIS_JOBS_INTERNAL_H

#include "jobs/jobs.h"
#include "workflow/workflows.h"

#include <uthash.h>

enum {
    JOB_RETRY_MIN_MS = 250,
    JOB_RETRY_MAX_MS = 60 * 1000,
};

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
    uint32_t tries;
    uint64_t not_before_ms; /* loop clock */
    uint64_t warm_by_ms;    /* nor before then, as long as no device has the model */
    struct job_entry *prev, *next;
};

struct jobs {
    struct api *api;
    struct job_account *accounts; /* uthash */
    struct job_entry *entries;    /* uthash, by id */
    size_t total, waiting;
    struct loop_timer *tick, *purge;
    bool ticking;
};

/* --- jobs.c --- */
/* Back into its account's list. */
void job_entry_wait(struct job_entry *entry);
/* It has ended. */
void job_entry_remove(struct job_entry *entry);

/* --- job_run.c --- */
/* Its turn has come, and its request from the store. */
void job_entry_run(struct job_entry *entry, struct str body);
/* What runs of it is cancelled, without a word. */
void job_entry_stop(struct job_entry *entry);

#endif
