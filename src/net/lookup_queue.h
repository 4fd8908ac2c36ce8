/* Look-ups of names, in turn by whose they are: a name whose server never answers holds a thread for seconds, and
 * nobody shall hold them all. An owner has two under way at most. Whose last one was slow shares half of the threads
 * with all others of whom that is true, so the other half is left to those whose names answer. */
#ifndef NATARIS_NET_LOOKUP_QUEUE_H
#define NATARIS_NET_LOOKUP_QUEUE_H

#include "net/address_lookup.h"

#include <stdint.h>

enum {
    LOOKUPS_AT_ONCE = 16,
    LOOKUPS_OF_OWNER = 2,
    LOOKUPS_SLOW = LOOKUPS_AT_ONCE / 2, /* of all slow owners */
    LOOKUP_SLOW_MS = 1000,
};

/* Before the process has a second thread: libuv shall have threads for so many, and the C library's resolver shall give
 * a name up after seconds, unless the environment says otherwise. */
void lookup_queue_prepare(void);

struct lookup_queue;
/* A look-up that takes `slow_ms` or longer was slow. */
struct lookup_queue *lookup_queue_new(struct loop *loop, unsigned slow_ms);
/* Every turn has ended or was cancelled. The loop must run until what is under way has ended. NULL is fine. */
void lookup_queue_free(struct lookup_queue *queue);

struct lookup_turn;
/* Like address_lookup_start, when it is the owner's turn; `host` is copied. */
struct lookup_turn *lookup_queue_ask(struct lookup_queue *queue, uint64_t owner, const char *host,
                                     address_allowed *allowed,
                                     void (*on_result)(void *context, const char *addresses, const struct err *err),
                                     void *context);
/* Before the result came: none comes any more. */
void lookup_turn_cancel(struct lookup_turn *turn);

#endif
