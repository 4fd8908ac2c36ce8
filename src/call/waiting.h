/* What something that has not begun waits for, in one word for clients ("waiting_for"). */
#ifndef NATARIS_CALL_WAITING_H
#define NATARIS_CALL_WAITING_H

#include "call/fault.h"

enum waiting {
    WAITING_NOT,
    WAITING_DISK,   /* there is little room on the network's disk */
    WAITING_LIMIT,  /* what its account's tier allows at once, or in a minute */
    WAITING_DEVICE, /* no device has the model yet, or each is busy */
    WAITING_RETRY,  /* it failed in a way that may pass, and is tried again soon */
};

/* "disk", "limit", "device", "retry"; NULL: WAITING_NOT. */
const char *waiting_name(enum waiting waiting);
/* After such a failure. */
enum waiting waiting_after(const struct fault *fault);

#endif
