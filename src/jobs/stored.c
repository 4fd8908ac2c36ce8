#include "jobs/stored.h"

/* The store's number 2 is that of workflows, which are no form of their own: the forms behind it are one further on. */
enum store_job_kind job_stored_kind(enum store_generation_kind kind, bool workflow) {
    if (kind == STORE_GENERATION_CHAT && workflow) {
        return STORE_JOB_WORKFLOW;
    }
    const unsigned number = (unsigned)kind;
    return (enum store_job_kind)(number < STORE_JOB_WORKFLOW ? number : number + 1);
}

enum store_generation_kind job_generation_kind(enum store_job_kind kind) {
    if (kind == STORE_JOB_WORKFLOW) {
        return STORE_GENERATION_CHAT;
    }
    const unsigned number = (unsigned)kind;
    return (enum store_generation_kind)(number < STORE_JOB_WORKFLOW ? number : number - 1);
}
