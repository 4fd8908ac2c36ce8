/* The rows of store_conversations.h. Errors as in sqlite_db.h. */
#ifndef NATARIS_STORE_SQLITE_CONVERSATIONS_H
#define NATARIS_STORE_SQLITE_CONVERSATIONS_H

#include "base/arena.h"
#include "base/seal.h"
#include "store/conversations.h"
#include "store/sqlite/ledger.h"

/* Where a turn goes. */
struct turn_place {
    int64_t number; /* 0: the conversation is gone */
    bool late;      /* its title or summary has been made meanwhile */
    uint8_t secret[SEAL_KEY_SIZE];
};

/* For the writer. A refusal (ERR_CONFLICT: an exchange that does not follow on what is there) has written nothing. */
MUST_CHECK bool sqlite_turn_find(struct ledger *ledger, const struct store_turn *turn, struct turn_place *out,
                                 struct err *err);
MUST_CHECK bool sqlite_turn_write(struct sqlite_db *db, const struct store_turn *turn, const struct turn_place *place,
                                  struct err *err);
/* `out` has number 0 when there is no such conversation. */
MUST_CHECK bool sqlite_conversation_place(struct ledger *ledger, const char *account_id, bool test, const char *id,
                                          struct turn_place *out, struct err *err);
MUST_CHECK bool sqlite_conversation_add(struct ledger *ledger, const struct store_conversation *conversation,
                                        struct err *err);
MUST_CHECK bool sqlite_conversation_delete(struct ledger *ledger, const char *account_id, bool test, const char *id,
                                           struct err *err); /* ERR_NOT_FOUND */
/* Binds a text that is sealed under the place's key, or plain when there is no conversation. `room` keeps it until the
 * statement has run. */
void sqlite_bind_sealed(struct sqlite_binder *binder, const struct turn_place *place, struct str text,
                        struct buf *room);

/* For the reader. Texts are in the arena, or ERR_TOO_LARGE. */
MUST_CHECK bool sqlite_conversation_find(struct sqlite_db *db, const struct store_conversation_ask *ask,
                                         struct arena *arena, struct store_conversation *out, int64_t *number,
                                         uint8_t secret[SEAL_KEY_SIZE], struct err *err); /* ERR_NOT_FOUND */
struct message_list {
    struct store_message *items; /* on the heap, the caller's */
    size_t count, capacity;
    bool more;
};
MUST_CHECK bool sqlite_messages(struct sqlite_db *db, const struct store_conversation_ask *ask, int64_t number,
                                int64_t from, const uint8_t secret[SEAL_KEY_SIZE], struct arena *arena,
                                struct message_list *out, struct err *err);
MUST_CHECK bool sqlite_conversation_page(struct sqlite_db *db, const struct store_conversation_ask *ask,
                                         struct store_conversation *rows, size_t *count, struct err *err);
/* Opens what sqlite_bind_sealed has sealed; ERR_INTERNAL when it cannot be. */
MUST_CHECK bool sqlite_open_sealed(const uint8_t secret[SEAL_KEY_SIZE], struct str sealed, char *out, size_t *length,
                                   struct err *err);

#endif
