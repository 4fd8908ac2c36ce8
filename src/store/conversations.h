/* Conversations: what was said under an id, kept for the account that made it. An id of another account, or of the other
 * kind of key, is ERR_NOT_FOUND like one that does not exist. Asynchronous, as in store.h; what is given is copied, what
 * comes back is borrowed for the call. */
#ifndef NATARIS_STORE_CONVERSATIONS_H
#define NATARIS_STORE_CONVERSATIONS_H

#include "store/money.h"

enum { STORE_TITLE_MAX = 256 };

enum store_titled_by { STORE_TITLED_NOT, STORE_TITLED_BY_CLIENT, STORE_TITLED_BY_MODEL, STORE_TITLED_BY_WORDS };

struct store_conversation {
    char id[STORE_ID_MAX]; /* "conv_..." */
    char account_id[STORE_ID_MAX];
    bool test; /* made with a test key: only those see it */
    char model[STORE_MODEL_MAX];
    char title[STORE_TITLE_MAX];
    enum store_titled_by titled_by;
    bool auto_title, auto_summary;
    struct str system, summary;
    int64_t summary_until; /* messages before this position are in the summary */
    int64_t message_count, prompt_tokens, completion_tokens;
    int64_t density; /* tokens for 1024 bytes of the last prompt; 0: none was counted */
    char counted_by[STORE_MODEL_MAX];
    int64_t created_ms, updated_ms;
};

struct store_message {
    int64_t position; /* from 0 */
    int role;         /* enum gen_role */
    uint32_t tokens;
    int64_t created_ms;
    struct str content;
};

/* What a call or a model's job does to a conversation. With a settlement it is done in the same transaction. A conversation
 * that is gone is left so. */
struct store_turn {
    enum store_turn_kind { STORE_TURN_EXCHANGE, STORE_TURN_TITLE, STORE_TURN_SUMMARY } kind;
    char conversation_id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    bool test;
    int64_t now_ms;
    /* An exchange: messages behind the `from` that are there; another number of them is ERR_CONFLICT. */
    int64_t from;
    const struct store_message *messages; /* their positions follow from `from` */
    size_t message_count;
    uint32_t prompt_tokens, completion_tokens;
    int64_t density;
    char counted_by[STORE_MODEL_MAX];
    bool system_given;
    /* The system text (when given), the title (unless there is one), or the summary of the messages before `until` (unless
     * it does not follow on that of the messages before `from`). */
    struct str text;
    enum store_titled_by titled_by;
    int64_t until;
};

void store_conversation_add(struct store *store, const struct store_conversation *conversation,
                            void (*on_result)(void *context, const struct err *err), void *context);
/* Overwrites its key, and has returned when neither the file nor its log holds anything that can be read: the messages,
 * title, summary, stored answers; the labels of its jobs are cleared. */
void store_conversation_delete(struct store *store, const char *account_id, bool test, const char *id,
                               void (*on_result)(void *context, const struct err *err), void *context);
/* A turn that no settlement carries. */
void store_turn_keep(struct store *store, const struct store_turn *turn,
                     void (*on_durable)(void *context, const struct err *err), void *context);

enum { STORE_MESSAGES_MAX = 2000 }; /* that one question gives */
struct store_conversation_ask {
    const char *account_id, *id;
    bool test;
    bool whole;         /* also messages that are in the summary */
    bool oldest;        /* from the first of them, not to the last */
    int64_t before;     /* only messages before this position; 0: no bound */
    size_t limit;       /* so many messages at most, and ... */
    int64_t tokens_max; /* ... so many tokens ... */
    size_t bytes_max;   /* ... and bytes, but at least one message */
};
/* The conversation and messages of it in their order. `more`: the bounds left some out. */
void store_conversation_read(struct store *store, const struct store_conversation_ask *ask,
                             void (*on_result)(void *context, const struct store_conversation *conversation,
                                               const struct store_message *messages, size_t count, bool more,
                                               const struct err *err),
                             void *context);
/* Newest first, behind the conversation `after` (empty: from the newest). Without system texts and summaries. */
void store_conversations_page(struct store *store, const char *account_id, bool test, const char *after, unsigned limit,
                              void (*on_result)(void *context, const struct store_conversation *conversations,
                                                size_t count, bool more, const struct err *err),
                              void *context);

#endif
