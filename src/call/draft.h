/* A draft: a request for a generation before it is a call. It goes through a table of stages, any of which may wait for
 * the store; the table says what a request goes through, so nobody has to be asked what comes next. */
#ifndef NATARIS_CALL_DRAFT_H
#define NATARIS_CALL_DRAFT_H

#include "call/call.h"
#include "call/claim.h"
#include "call/input.h"

struct draft;

enum draft_step {
    DRAFT_ON,    /* the next stage follows */
    DRAFT_WAITS, /* the stage goes on by itself: draft_go_on */
    DRAFT_OVER,  /* it was refused or answered, or has become a call: the draft may be gone */
};

struct draft_stage {
    const char *name;
    enum draft_step (*enter)(struct draft *draft);
    void (*gone)(struct draft *draft); /* the client went away while this stage waited; NULL: nothing to do */
};

/* Who brought it; each ends the draft. */
struct draft_owner {
    void (*refuse)(struct draft *draft, const struct fault *fault);
    /* It ran before: this is its answer, borrowed for the call. */
    void (*replay)(struct draft *draft, const struct store_answer *answer);
};

/* In its owner's memory, which lives until the draft is over or gone. */
struct draft {
    struct calls *calls;
    const struct draft_owner *owner;
    const struct draft_stage *stage; /* where it is; the table ends in a stage without `enter` */
    struct arena *arena;
    const struct auth_identity *identity;
    const char *request_id;  /* for the log */
    struct call_input input; /* its model is the resolved id */
    struct idempotency idempotency;
    struct claim *claim;     /* owned; NULL: none */
    uint32_t counted;        /* tokens of its prompt by the model's own vocabulary; 0: nobody was asked */
    struct call_hook *hook;  /* owned; into its conversation; NULL: none */
    void *stage_data;        /* of the stage that waits, in the arena */
    struct draft_wait *wait; /* while it waits */
};

/* Through `stages` from the first one. The draft may be gone when this returns. */
void draft_run(struct draft *draft, const struct draft_stage *stages);
/* The stage that waited has ended so; what DRAFT_OVER means. */
void draft_go_on(struct draft *draft, enum draft_step step);
/* The client went away while a stage waited: what the draft holds ends. */
void draft_gone(struct draft *draft);
/* Ends what a draft holds, and answers with the fault. Returns DRAFT_OVER. */
enum draft_step draft_refuse(struct draft *draft, const struct fault *fault);

/* For a stage that asks the store: a token that outlives the draft, for the answer's context. One at a time. */
struct draft_wait *draft_wait_begin(struct draft *draft);
/* The answer has come: frees the token, and gives the draft, or NULL when it is gone. */
MUST_CHECK struct draft *draft_wait_end(struct draft_wait *wait);

/* The stages of this room: takes the claim of its idempotency key, if it has one; and looks whether it ran before. */
enum draft_step draft_claim(struct draft *draft);
enum draft_step draft_look_stored(struct draft *draft);

#endif
