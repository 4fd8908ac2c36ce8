/* Calls on a conversation. A chat call whose conversation_id is one of its account's has what was said before put in front
 * of its messages, and both sides of it are stored with its settlement. One call at a time: a second one is refused with
 * 409 CONVERSATION_BUSY. Any other id is only a label, one that looks like ours too: nobody can tell a foreign
 * conversation from one that never was. */
#ifndef NATARIS_CONVERSATION_CONVERSATIONS_H
#define NATARIS_CONVERSATION_CONVERSATIONS_H

#include "call/call.h"
#include "conversation/prompt.h"

#include <uthash.h>

enum {
    CONVERSATION_BUSY_RETRY_MS = 1000,
    /* A client that goes away while its answer is being settled leaves its conversation busy until that is done. */
    CONVERSATION_LINGER_MS = 1000,
    CONVERSATION_SYSTEM_BYTES = 32 * 1024,
};

struct conversation_job; /* conversation_jobs.c */

/* What is under way for one conversation; in api->conversations while anything is. */
struct conversation_desk {
    UT_hash_handle hh;
    struct conversation_name {
        char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
        bool test;
    } name;
    uint64_t turns; /* calls that have had it: what was read before another one is out of date */
    unsigned reads;
    bool busy; /* a call has it */
    uint64_t linger_until_ms;
    struct conversation_job *title, *summary; /* owned */
};

/* A call that has a conversation; owned by the call. */
struct conversation_call {
    struct api *api;
    struct conversation_desk *desk;
    struct auth_identity identity;
    struct store_conversation conversation; /* without its texts */
    char model[STORE_MODEL_MAX];
    struct conversation_prompt prompt; /* its conversation and messages are gone */
    struct store_message *all;         /* what was stored (without texts), the call's own, the answer; owned */
    size_t stored_count, own_count;
    struct str system; /* borrowed from the call's arena */
    bool settling;     /* its turn was given to the store */
};

/* A good draft goes on to call_start, with its conversation if it has one, or is refused. */
void conversation_enter(struct api_request *request);
/* The turn to store with the settlement. False: the answer is too long to be stored. */
MUST_CHECK bool conversation_turn(struct call *call, const struct call_result *result, struct store_turn *turn);
/* The call has its answer: it is stored (or is now: a sandbox's call has no settlement). */
void conversation_call_done(struct call *call, const struct call_result *result);
/* Before the free: its client has gone, but its turn may be on its way into the store. */
void conversation_call_gone(struct conversation_call *call);
/* NULL is fine. The conversation is free again. */
void conversation_call_free(struct conversation_call *call);

/* Looks the desk up or makes it. */
struct conversation_desk *conversation_desk_get(struct api *api, const struct auth_identity *identity, struct str id);
/* Frees it when nothing is under way. */
void conversation_desk_release(struct api *api, struct conversation_desk *desk);
void conversations_sweep(struct api *api, uint64_t now_ms);
void conversations_clear(struct api *api);

/* conversation_jobs.c: the title and the summary that are due after this call. `answer` is borrowed. */
void conversation_jobs_start(const struct conversation_call *call, struct str answer);
void conversation_job_free(struct conversation_job *job); /* NULL is fine */

#endif
