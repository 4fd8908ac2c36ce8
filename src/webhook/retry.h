/* What an answer means for a delivery and its webhook (docs/WEBHOOKS.md). Pure. */
#ifndef NATARIS_WEBHOOK_RETRY_H
#define NATARIS_WEBHOOK_RETRY_H

#include "webhook/post.h"

enum { WEBHOOK_ATTEMPTS_MAX = 10 };

struct webhook_retry {
    enum store_delivery_state state;
    uint64_t after_ms; /* when it waits: until the next attempt */
    bool gone;         /* the webhook is to be disabled */
    bool slow;         /* the webhook is to be asked less */
};
/* `attempts` with this one; `jitter` in thousandths of the wait, from -100 to 100. */
struct webhook_retry webhook_retry_after(const struct webhook_answer *answer, uint32_t attempts, int jitter);

#endif
