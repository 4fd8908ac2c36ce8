#include "jobs/stored.h"

enum store_job_kind job_stored_kind(enum api_call_kind kind, bool workflow) {
    switch (kind) {
    case API_CALL_CHAT:
        break;
    case API_CALL_INFERENCE:
        return STORE_JOB_INFERENCE;
    }
    return workflow ? STORE_JOB_WORKFLOW : STORE_JOB_CHAT;
}

enum api_call_kind job_call_kind(enum store_job_kind kind) {
    switch (kind) {
    case STORE_JOB_CHAT:
    case STORE_JOB_WORKFLOW:
        break;
    case STORE_JOB_INFERENCE:
        return API_CALL_INFERENCE;
    }
    return API_CALL_CHAT;
}
