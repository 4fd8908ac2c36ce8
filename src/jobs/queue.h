/* The jobs that have not ended yet, by account: which of them wait, and how many there are. */
#ifndef NATARIS_JOBS_QUEUE_H
#define NATARIS_JOBS_QUEUE_H

#include "call/patience.h"
#include "call/run.h"
#include "format/format.h"
#include "store/jobs.h"
#include "workflow/workflow.h"

#include <uthash.h>

enum { JOBS_TICK_MS = 250 /* how often room is looked for while jobs wait */ };

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
    char *ignored; /* what its body has to no effect (call/input.h); owned; NULL before it was read */
    char *echo;    /* what its answer repeats of it; likewise */
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

/* The account's place, made when it has none; and one job, or place reserved, less: it goes with the last. */
struct job_account *job_account_get(struct jobs *jobs, const char *id, bool test);
void job_account_put(struct jobs *jobs, struct job_account *account);

/* Not ended, or NULL. */
struct job_entry *job_queue_find(const struct jobs *jobs, const char *id);
/* A new one, which waits. */
struct job_entry *job_queue_add(struct jobs *jobs, const struct store_job *job);
/* Of one that is not waiting: back into its account's list. */
void job_queue_wait(struct job_entry *entry);
/* Of one that waits: it is to be read. */
void job_queue_take(struct job_entry *entry);
/* Of one that is not waiting: it has ended, and is freed. */
void job_queue_remove(struct job_entry *entry);

#endif
