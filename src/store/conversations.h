/* Conversations: what was said under an id, kept for the account that made it. An id of another account, or of the
 * other kind of key, is ERR_NOT_FOUND like one that does not exist. Asynchronous, as in store.h; what is given is
 * copied, what comes back is borrowed for the call. */
#ifndef NATARIS_STORE_CONVERSATIONS_H
#define NATARIS_STORE_CONVERSATIONS_H

#include "base/arena.h"
#include "store/turns.h"

enum { STORE_TITLE_MAX = 256 };

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

/* ERR_CONFLICT about "quota" (quota.h): the account has as many as its tier allows. */
void store_conversation_add(struct store *store, const struct store_conversation *conversation,
                            void (*on_result)(void *context, const struct err *err), void *context);
/* Overwrites its key, and has returned when neither the file nor its log holds anything that can be read: the messages,
 * title, summary, stored answers; the labels of its generations are cleared. */
void store_conversation_delete(struct store *store, const char *account_id, bool test, const char *id,
                               void (*on_result)(void *context, const struct err *err), void *context);
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
    size_t
        adds; /* so many bytes are to be added: ERR_CONFLICT about "quota" (quota.h) when there is no room; 0: none */
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

/* --- Of a backend --- */

struct store_message_list {
    struct store_message *items; /* on the heap */
    size_t count, capacity;
    bool more; /* bounds left some out */
};

struct store_conversation_rows {
    bool (*add)(struct store_connection *connection, const struct store_conversation *conversation, struct err *err);
    bool (*remove)(struct store_connection *connection, const char *account_id, bool test, const char *id,
                   struct err *err); /* ERR_NOT_FOUND */
    /* Texts are in the arena, or ERR_TOO_LARGE. ERR_NOT_FOUND. */
    bool (*read)(struct store_connection *connection, const struct store_conversation_ask *ask, struct arena *arena,
                 struct store_conversation *out, struct store_message_list *messages, struct err *err);
    bool (*page)(struct store_connection *connection, const struct store_conversation_ask *ask,
                 struct store_conversation *rows, size_t *count, struct err *err);
};

#endif
