#include "store/purpose.h"

const char *store_purpose_name(enum store_purpose purpose) {
    switch (purpose) {
    case STORE_PURPOSE_REQUEST:
        break;
    case STORE_PURPOSE_JOB:
        return "job";
    case STORE_PURPOSE_STEP:
        return "step";
    case STORE_PURPOSE_TITLE:
        return "title";
    case STORE_PURPOSE_SUMMARY:
        return "summary";
    }
    return "request";
}
