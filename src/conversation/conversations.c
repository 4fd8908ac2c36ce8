#include "conversation/conversations.h"

#include "base/mem.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <utlist.h>

struct conversations *conversations_new(struct calls *calls, bool titles_off, bool summaries_off) {
    struct conversations *conversations = MEM_NEW(struct conversations);
    conversations->calls = calls;
    conversations->titles_off = titles_off;
    conversations->summaries_off = summaries_off;
    return conversations;
}

static void work_free(struct conversation_work *work) {
    if (work != NULL) {
        work->free(work);
    }
}

void conversations_free(struct conversations *conversations) {
    if (conversations == NULL) {
        return;
    }
    struct conversation_desk *desk = conversations->desks, *next;
    HASH_CLEAR(hh, conversations->desks); /* the elements stay linked */
    for (; desk != NULL; desk = next) {
        next = desk->hh.next;
        work_free(desk->title);
        work_free(desk->summary);
        free(desk);
    }
    free(conversations);
}

static void linger_end(struct conversation_desk *desk) {
    DL_DELETE(desk->all->lingering, desk);
    desk->linger_until_ms = 0;
    desk->busy = false;
}

void conversations_sweep(struct conversations *conversations, uint64_t now_ms) {
    struct conversation_desk *desk, *next;
    DL_FOREACH_SAFE (conversations->lingering, desk, next) { /* in the order in which they end */
        if (desk->linger_until_ms > now_ms) {
            return;
        }
        linger_end(desk);
        conversation_desk_release(desk);
    }
}

struct conversation_desk *conversation_desk_get(struct conversations *conversations,
                                                const struct auth_identity *identity, struct str id) {
    struct conversation_name name = {.test = identity->kind == STORE_KEY_TEST};
    struct conversation_desk *desk;
    conversations_sweep(conversations, loop_now_ms(conversations->calls->loop));
    (void)str_copy(name.account_id, sizeof(name.account_id), str_from(identity->account_id));
    (void)str_copy(name.id, sizeof(name.id), id);
    HASH_FIND(hh, conversations->desks, &name, sizeof(name), desk);
    if (desk == NULL) {
        desk = MEM_NEW(struct conversation_desk);
        desk->all = conversations;
        memcpy(&desk->name, &name, sizeof(name));
        HASH_ADD(hh, conversations->desks, name, sizeof(desk->name), desk);
    }
    return desk;
}

void conversation_desk_release(struct conversation_desk *desk) {
    if (desk->busy || desk->reads > 0 || desk->title != NULL || desk->summary != NULL) {
        return;
    }
    assert(desk->all->desks != NULL);
    HASH_DEL(desk->all->desks, desk);
    free(desk);
}

void conversation_desk_leave(struct conversation_desk *desk) {
    if (desk->linger_until_ms == 0) {
        desk->busy = false;
    }
    conversation_desk_release(desk);
}

void conversation_desk_linger(struct conversation_desk *desk) {
    if (desk->linger_until_ms != 0) {
        DL_DELETE(desk->all->lingering, desk);
    }
    desk->linger_until_ms = loop_now_ms(desk->all->calls->loop) + CONVERSATION_LINGER_MS;
    DL_APPEND(desk->all->lingering, desk);
}
