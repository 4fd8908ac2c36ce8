/* Jobs that are too large for the link: each is reported at the end of the loop's iteration as if its device had
 * refused it, never inside the call that would have sent it. */
#ifndef NATARIS_LINK_REFUSED_H
#define NATARIS_LINK_REFUSED_H

#include "net/loop.h"

#include <stdint.h>

struct link_peer;
struct link_refused_job;

struct link_refused {
    struct loop *loop;
    struct link_refused_job *list;
    struct loop_deferred deferred;
    void (*report)(void *context, struct link_peer *peer, uint64_t job);
    void *context;
};

/* `report` is called once for each job whose link is still there. */
void link_refused_init(struct link_refused *refused, struct loop *loop,
                       void (*report)(void *context, struct link_peer *peer, uint64_t job), void *context);
void link_refused_add(struct link_refused *refused, struct link_peer *peer, uint64_t job);
void link_refused_forget(struct link_refused *refused, const struct link_peer *peer); /* its link is gone */

#endif
