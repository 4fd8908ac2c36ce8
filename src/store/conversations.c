/* Conversations on the loop's side: what is asked of the store's threads. */
#include "store/conversations.h"

#include "base/mem.h"
#include "store/internal.h"
#include "store/sqlite/conversations.h"

#include <stdlib.h>
#include <string.h>

enum { CONVERSATION_ARENA_BYTES = 64 * 1024 * 1024 };

/* --- Copies: one block each --- */

static struct str text_copy(char **at, struct str text) {
    char *copy = *at;
    if (text.len > 0) {
        memcpy(copy, text.data, text.len);
    }
    *at += text.len;
    return (struct str){copy, text.len};
}

struct store_turn *store_turn_copy(const struct store_turn *turn) {
    const size_t rows = turn->message_count * sizeof(*turn->messages);
    size_t bytes = turn->text.len;
    for (size_t i = 0; i < turn->message_count; i++) {
        bytes += turn->messages[i].content.len;
    }
    struct store_turn *copy = (struct store_turn *)mem_alloc(sizeof(*copy) + rows + bytes);
    struct store_message *messages = (struct store_message *)(copy + 1);
    char *at = (char *)messages + rows;
    *copy = *turn;
    copy->text = text_copy(&at, turn->text);
    for (size_t i = 0; i < turn->message_count; i++) {
        messages[i] = turn->messages[i];
        messages[i].content = text_copy(&at, turn->messages[i].content);
    }
    copy->messages = messages;
    return copy;
}

/* --- What is written --- */

struct conversation_write {
    struct store_task task;
    struct store_turn *turn;                 /* owned; or */
    struct store_conversation *conversation; /* owned, its system text behind it; or the one to delete: */
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    bool test;
    void (*on_result)(void *context, const struct err *err);
    void *context;
};

static bool write_run(struct store_task *task, struct ledger *ledger, struct err *err) {
    const struct conversation_write *write = (struct conversation_write *)task;
    struct turn_place place;
    if (write->turn != NULL) {
        return sqlite_turn_find(ledger, write->turn, &place, err) &&
               sqlite_turn_write(ledger->db, write->turn, &place, err);
    }
    return write->conversation != NULL
               ? sqlite_conversation_add(ledger, write->conversation, err)
               : sqlite_conversation_delete(ledger, write->account_id, write->test, write->id, err);
}

static void write_answer(struct store_task *task, const struct err *err) {
    struct conversation_write *write = (struct conversation_write *)task;
    if (write->on_result != NULL) {
        write->on_result(write->context, err);
    }
    free(write->turn);
    free(write->conversation);
    free(write);
}

static struct conversation_write *write_new(void (*on_result)(void *context, const struct err *err), void *context) {
    struct conversation_write *write = MEM_NEW(struct conversation_write);
    write->task.write = write_run;
    write->task.answer = write_answer;
    write->on_result = on_result;
    write->context = context;
    return write;
}

void store_conversation_add(struct store *store, const struct store_conversation *conversation,
                            void (*on_result)(void *context, const struct err *err), void *context) {
    struct conversation_write *write = write_new(on_result, context);
    write->conversation = (struct store_conversation *)mem_alloc(sizeof(*conversation) + conversation->system.len + 1);
    char *at = (char *)(write->conversation + 1);
    *write->conversation = *conversation;
    write->conversation->system = text_copy(&at, conversation->system);
    store_task_run(store, &write->task);
}

void store_conversation_delete(struct store *store, const char *account_id, bool test, const char *id,
                               void (*on_result)(void *context, const struct err *err), void *context) {
    struct conversation_write *write = write_new(on_result, context);
    str_copy(write->account_id, sizeof(write->account_id), str_from(account_id));
    str_copy(write->id, sizeof(write->id), str_from(id));
    write->test = test;
    store_task_run(store, &write->task);
}

void store_turn_keep(struct store *store, const struct store_turn *turn,
                     void (*on_durable)(void *context, const struct err *err), void *context) {
    struct conversation_write *write = write_new(on_durable, context);
    write->turn = store_turn_copy(turn);
    store_task_run(store, &write->task);
}

/* --- What is read --- */

struct conversation_read {
    struct store_task task;
    struct store_conversation_ask ask;
    char account_id[STORE_ID_MAX], id[STORE_ID_MAX];
    struct arena arena;
    struct store_conversation conversation;
    struct message_list messages;
    struct store_conversation *rows; /* of a page; owned */
    size_t count;
    union {
        void (*on_result)(void *context, const struct store_conversation *conversation,
                          const struct store_message *messages, size_t count, bool more, const struct err *err);
        void (*on_page)(void *context, const struct store_conversation *conversations, size_t count, bool more,
                        const struct err *err);
    };
    void *context;
};

/* Both statements see one state of the database. */
static bool read_run(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct conversation_read *read = (struct conversation_read *)task;
    uint8_t secret[SEAL_KEY_SIZE];
    int64_t number = 0;
    if (!sqlite_run(db, SQL_BEGIN_READ, err)) {
        return false;
    }
    bool ok = sqlite_conversation_find(db, &read->ask, &read->arena, &read->conversation, &number, secret, err);
    if (ok) {
        const int64_t from = read->ask.whole ? 0 : read->conversation.summary_until;
        ok = sqlite_messages(db, &read->ask, number, from, secret, &read->arena, &read->messages, err);
    }
    sqlite_db_rollback(db); /* nothing was written */
    return ok;
}

static bool page_run(struct store_task *task, struct sqlite_db *db, struct err *err) {
    struct conversation_read *read = (struct conversation_read *)task;
    struct store_conversation_ask ask = read->ask;
    ask.limit++; /* to know whether there are further ones */
    read->rows = (struct store_conversation *)mem_calloc(ask.limit, sizeof(*read->rows));
    return sqlite_conversation_page(db, &ask, read->rows, &read->count, err);
}

static void read_free(struct conversation_read *read) {
    free(read->messages.items);
    free(read->rows);
    arena_clear(&read->arena);
    free(read);
}

static void read_answer(struct store_task *task, const struct err *err) {
    struct conversation_read *read = (struct conversation_read *)task;
    read->on_result(read->context, err == NULL ? &read->conversation : NULL, read->messages.items,
                    err == NULL ? read->messages.count : 0, read->messages.more, err);
    read_free(read);
}

static void page_answer(struct store_task *task, const struct err *err) {
    struct conversation_read *read = (struct conversation_read *)task;
    const bool more = read->count > read->ask.limit;
    read->on_page(read->context, read->rows, more ? read->ask.limit : read->count, more, err);
    read_free(read);
}

static struct conversation_read *read_new(const struct store_conversation_ask *ask, void *context) {
    struct conversation_read *read = MEM_NEW(struct conversation_read);
    read->ask = *ask;
    str_copy(read->account_id, sizeof(read->account_id), str_from(ask->account_id));
    str_copy(read->id, sizeof(read->id), str_from(ask->id));
    read->ask.account_id = read->account_id;
    read->ask.id = read->id;
    arena_init(&read->arena, CONVERSATION_ARENA_BYTES);
    read->context = context;
    return read;
}

void store_conversation_read(struct store *store, const struct store_conversation_ask *ask,
                             void (*on_result)(void *context, const struct store_conversation *conversation,
                                               const struct store_message *messages, size_t count, bool more,
                                               const struct err *err),
                             void *context) {
    struct conversation_read *read = read_new(ask, context);
    read->ask.limit = ask->limit < STORE_MESSAGES_MAX ? ask->limit : STORE_MESSAGES_MAX;
    read->task.read = read_run;
    read->task.answer = read_answer;
    read->on_result = on_result;
    store_task_run(store, &read->task);
}

void store_conversations_page(struct store *store, const char *account_id, bool test, const char *after, unsigned limit,
                              void (*on_result)(void *context, const struct store_conversation *conversations,
                                                size_t count, bool more, const struct err *err),
                              void *context) {
    const struct store_conversation_ask ask = {
        .account_id = account_id, .id = after, .test = test, .limit = limit < STORE_PAGE_MAX ? limit : STORE_PAGE_MAX};
    struct conversation_read *read = read_new(&ask, context);
    read->task.read = page_run;
    read->task.answer = page_answer;
    read->on_page = on_result;
    store_task_run(store, &read->task);
}
