#include "jobs/stored.h"

enum store_job_kind job_stored_kind(enum store_generation_kind kind, bool workflow) {
    switch (kind) {
    case STORE_GENERATION_CHAT:
        break;
    case STORE_GENERATION_INFERENCE:
        return STORE_JOB_INFERENCE;
    }
    return workflow ? STORE_JOB_WORKFLOW : STORE_JOB_CHAT;
}

enum store_generation_kind job_generation_kind(enum store_job_kind kind) {
    switch (kind) {
    case STORE_JOB_CHAT:
    case STORE_JOB_WORKFLOW:
        break;
    case STORE_JOB_INFERENCE:
        return STORE_GENERATION_INFERENCE;
    }
    return STORE_GENERATION_CHAT;
}
