/* Calls on a conversation. A call whose conversation_id is one of its account's has what was said before put in front
 * of its messages, and both sides of it are stored with its settlement. One call at a time: a second one is refused
 * with 409 CONVERSATION_BUSY. Any other id is only a label, one that looks like ours too: nobody can tell a foreign
 * conversation from one that never was. */
#ifndef NATARIS_CONVERSATION_CONVERSATION_H
#define NATARIS_CONVERSATION_CONVERSATION_H

#include "call/draft.h"
#include "conversation/conversations.h"

enum {
    CONVERSATION_BUSY_RETRY_MS = 1000,
    CONVERSATION_SYSTEM_BYTES = 32 * 1024,
};

/* The stage of a draft whose label has the form of a conversation's id, and its `gone`. */
enum draft_step conversation_enter(struct conversations *conversations, struct draft *draft);
void conversation_enter_gone(struct draft *draft);
/* That of a call or draft with this hook; NULL for NULL. */
struct conversation *conversation_of(struct call_hook *hook);

#endif
