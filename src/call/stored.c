#include "call/stored.h"

enum store_generation_kind call_stored_kind(enum api_call_kind kind) {
    switch (kind) {
    case API_CALL_CHAT:
        break;
    case API_CALL_INFERENCE:
        return STORE_GENERATION_INFERENCE;
    }
    return STORE_GENERATION_CHAT;
}

enum store_purpose call_stored_purpose(enum run_purpose purpose) {
    switch (purpose) {
    case RUN_JOB:
        break;
    case RUN_STEP:
        return STORE_PURPOSE_STEP;
    case RUN_TITLE:
        return STORE_PURPOSE_TITLE;
    case RUN_SUMMARY:
        return STORE_PURPOSE_SUMMARY;
    }
    return STORE_PURPOSE_JOB;
}
