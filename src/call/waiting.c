#include "call/waiting.h"

#include <stddef.h>

const char *waiting_name(enum waiting waiting) {
    switch (waiting) {
    case WAITING_NOT:
        break;
    case WAITING_DISK:
        return "disk";
    case WAITING_LIMIT:
        return "limit";
    case WAITING_DEVICE:
        return "device";
    case WAITING_RETRY:
        return "retry";
    }
    return NULL;
}

enum waiting waiting_after(const struct fault *fault) {
    if (fault->code == FAULT_RATE_LIMIT_EXCEEDED) {
        return WAITING_LIMIT;
    }
    if (fault->code == FAULT_MODEL_WARMING || fault->code == FAULT_MODEL_UNAVAILABLE ||
        fault->code == FAULT_NO_MATCHING_PROVIDER) {
        return WAITING_DEVICE;
    }
    return WAITING_RETRY;
}
