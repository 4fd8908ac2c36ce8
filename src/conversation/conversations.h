/* The conversations in which something is under way. One thread, the loop's. */
#ifndef NATARIS_CONVERSATION_CONVERSATIONS_H
#define NATARIS_CONVERSATION_CONVERSATIONS_H

#include "call/calls.h"

#include <uthash.h>

struct upkeep; /* conversation/upkeep.h */

enum {
    /* A client that goes away while its answer is being settled leaves its conversation busy until that is done. */
    CONVERSATION_LINGER_MS = 1000,
};

/* What is under way for one conversation; it exists while anything is. */
struct conversation_desk {
    UT_hash_handle hh;
    struct conversations *all;
    struct conversation_name {
        char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
        bool test;
    } name;
    uint64_t calls; /* that have had it: what was read before another one is out of date */
    unsigned reads;
    bool busy;                             /* a call has it */
    uint64_t linger_until_ms;              /* loop clock; 0: it does not linger */
    struct upkeep *title, *summary;        /* owned */
    struct conversation_desk *prev, *next; /* lingering ones, in the order of their ends */
};

struct conversations {
    struct calls *calls;
    bool titles_off, summaries_off;      /* no conversation gets them written by a model */
    struct conversation_desk *desks;     /* uthash */
    struct conversation_desk *lingering; /* utlist */
};

struct conversations *conversations_new(struct calls *calls, bool titles_off, bool summaries_off);
void conversations_free(struct conversations *conversations); /* no call may have one; NULL is fine */

/* Ends the lingering whose time is over at `now_ms` (loop clock). Asking for a desk does so first, which is soon
 * enough: nobody else can tell. */
void conversations_sweep(struct conversations *conversations, uint64_t now_ms);
/* Looks the desk up or makes it. */
struct conversation_desk *conversation_desk_get(struct conversations *conversations,
                                                const struct auth_identity *identity, struct str id);
/* Frees it when nothing is under way. */
void conversation_desk_release(struct conversation_desk *desk);
/* The call that had it is over; while it lingers that is only so after its time. */
void conversation_desk_leave(struct conversation_desk *desk);
/* Busy for CONVERSATION_LINGER_MS more. */
void conversation_desk_linger(struct conversation_desk *desk);

#endif
