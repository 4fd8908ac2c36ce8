/* The workflows of a gateway: from its start, with those that were open before, to its end. */
#ifndef NATARIS_WORKFLOW_WORKFLOWS_H
#define NATARIS_WORKFLOW_WORKFLOWS_H

struct calls;     /* call/calls.h */
struct workflows; /* workflow/workflow.h */

/* `calls` is borrowed. */
struct workflows *workflows_new(struct calls *calls);
void workflows_free(struct workflows *workflows); /* NULL is fine */
void workflows_open(struct workflows *workflows); /* goes on with what was open when the gateway ended */
/* The gateway stops: steps under way go on, no further one begins, waiters are told 503; the next gateway goes on. */
void workflows_drain(struct workflows *workflows);

#endif
