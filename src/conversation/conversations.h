/* The conversations in which something is under way. One thread, the loop's. */
#ifndef NATARIS_CONVERSATION_CONVERSATIONS_H
#define NATARIS_CONVERSATION_CONVERSATIONS_H

#include "call/calls.h"
#include "call/hook.h"
#include "conversation/prompt.h"
#include "store/conversations.h"

#include <uthash.h>

enum {
    /* A client that goes away while its answer is being settled leaves its conversation busy until that is done. */
    CONVERSATION_LINGER_MS = 1000,
};

/* Something that is made for a conversation meanwhile (conversation/upkeep.h); stands first in a struct of its
 * maker's. */
struct conversation_work {
    /* Without a word, of a gateway that ends: the run that makes it is gone. */
    void (*free)(struct conversation_work *work);
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
    bool busy;                                 /* a call has it */
    uint64_t linger_until_ms;                  /* loop clock; 0: it does not linger */
    struct conversation_work *title, *summary; /* owned */
    struct conversation_desk *prev, *next;     /* lingering ones, in the order of their ends */
};

struct conversations {
    struct calls *calls;
    bool titles_off, summaries_off;      /* no conversation gets them written by a model */
    struct conversation_desk *desks;     /* uthash */
    struct conversation_desk *lingering; /* utlist */
};

/* What a call has of its conversation; owned by the call. */
struct conversation {
    struct call_hook hook; /* first */
    struct conversation_desk *desk;
    struct auth_identity identity;
    struct store_conversation stored; /* without its texts */
    char model[STORE_MODEL_MAX];
    struct conversation_prompt prompt; /* its conversation and messages are gone */
    struct store_message *all;         /* what was stored (without texts), the call's own, the answer; owned */
    size_t stored_count, own_count;
    struct str system; /* borrowed from the call's arena */
    bool settling;     /* its turn was given to the store */
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
