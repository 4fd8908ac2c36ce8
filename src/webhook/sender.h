/* Sends what the store has due: to each webhook a few at a time, fewer to one that is slow or says so, again and again
 * until it is taken or given up (docs/WEBHOOKS.md). */
#ifndef NATARIS_WEBHOOK_SENDER_H
#define NATARIS_WEBHOOK_SENDER_H

#include "base/err.h"
#include "store/deliveries.h"
#include "webhook/loop_clock.h"

struct webhook_counts { /* since the start */
    uint64_t delivered, failed, retried, running;
    bool paused; /* now */
};

struct webhook_sender_options {
    struct loop *loop;
    struct store *store;               /* started */
    const struct webhook_clock *clock; /* copied; NULL: the loop's */
    unsigned post_ms;                  /* for one post; 0: WEBHOOK_POST_MS */
    unsigned running_max;              /* posts at once; 0: as many as there ever are */
    bool lax;                          /* also http, every port and private addresses: net/web_url.h */
};

struct webhook_sender;
MUST_CHECK bool webhook_sender_new(struct webhook_sender **out, const struct webhook_sender_options *options,
                                   struct err *err);
/* Sends nothing any more: what was under way is sent again after the next start. Before store_close; the loop must run
 * once more. */
void webhook_sender_stop(struct webhook_sender *sender);
void webhook_sender_free(struct webhook_sender *sender); /* after store_close; NULL is fine */
/* Paused nothing further is sent, and of what is under way the answers' texts are not kept: for when the disk is nearly
 * full. What waits goes on waiting. */
void webhook_sender_pause(struct webhook_sender *sender, bool paused);
struct webhook_counts webhook_sender_counts(const struct webhook_sender *sender);
/* For a clock of one's own: the time that ring_after was told has come. */
void webhook_sender_ring(struct webhook_sender *sender);

#endif
