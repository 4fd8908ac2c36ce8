#include "link/refused.h"

#include "base/mem.h"

#include <stdlib.h>
#include <utlist.h>

struct link_refused_job {
    struct link_peer *peer; /* NULL: gone */
    uint64_t job;
    struct link_refused_job *next;
};

static void report_all(struct loop_deferred *deferred) {
    struct link_refused *refused = (struct link_refused *)((char *)deferred - offsetof(struct link_refused, deferred));
    while (refused->list != NULL) {
        struct link_refused_job *job = refused->list;
        refused->list = job->next;
        if (job->peer != NULL) {
            refused->report(refused->context, job->peer, job->job);
        }
        free(job);
    }
}

void link_refused_init(struct link_refused *refused, struct loop *loop,
                       void (*report)(void *context, struct link_peer *peer, uint64_t job), void *context) {
    *refused = (struct link_refused){.loop = loop, .report = report, .context = context};
    refused->deferred.run = report_all;
}

void link_refused_add(struct link_refused *refused, struct link_peer *peer, uint64_t job) {
    struct link_refused_job *added = MEM_NEW(struct link_refused_job);
    added->peer = peer;
    added->job = job;
    LL_APPEND(refused->list, added);
    loop_defer(refused->loop, &refused->deferred);
}

void link_refused_forget(struct link_refused *refused, const struct link_peer *peer) {
    struct link_refused_job *job;
    LL_FOREACH (refused->list, job) {
        if (job->peer == peer) {
            job->peer = NULL;
        }
    }
}
