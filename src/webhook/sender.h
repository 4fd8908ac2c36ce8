/* Sends what the store has due: to each webhook a few at a time, fewer to one that is slow or says so, again and again
 * until it is taken or given up (docs/WEBHOOKS.md). */
#ifndef NATARIS_WEBHOOK_SENDER_H
#define NATARIS_WEBHOOK_SENDER_H

#include "base/err.h"
#include "net/loop.h"
#include "store/deliveries.h"
#include "webhook/http.h"

struct webhook_counts { /* since the start */
    uint64_t delivered, failed, retried, running;
};

struct webhook_sender;
/* After store_start. `lax`: see webhook_http.h. */
MUST_CHECK bool webhook_sender_new(struct webhook_sender **out, struct loop *loop, struct store *store, bool lax,
                                   struct err *err);
/* Sends nothing any more: what was under way is sent again after the next start. Before store_close. */
void webhook_sender_stop(struct webhook_sender *sender);
void webhook_sender_free(struct webhook_sender *sender); /* after store_close; NULL is fine */
struct webhook_counts webhook_sender_counts(const struct webhook_sender *sender);

/* How an attempt ends; pure. */
struct webhook_retry {
    enum store_delivery_state state;
    uint64_t after_ms; /* when it waits: until the next attempt */
    bool gone;         /* the webhook is to be disabled */
    bool slow;         /* the webhook is to be asked less */
};
enum { WEBHOOK_ATTEMPTS_MAX = 10 };
/* `attempts` with this one; `jitter` in thousandths of the wait, from -100 to 100. */
struct webhook_retry webhook_retry_after(const struct webhook_answer *answer, uint32_t attempts, int jitter);

#endif
