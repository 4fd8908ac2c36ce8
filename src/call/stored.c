#include "call/stored.h"

enum store_purpose run_stored_purpose(enum run_purpose purpose) {
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
