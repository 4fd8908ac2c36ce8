/* What is said in a conversation, and what a call or a run adds to one. */
#ifndef NATARIS_STORE_TURNS_H
#define NATARIS_STORE_TURNS_H

#include "store/limits.h"

enum store_role { /* stored by number */
                  STORE_ROLE_SYSTEM = 0,
                  STORE_ROLE_USER = 1,
                  STORE_ROLE_ASSISTANT = 2,
                  STORE_ROLE_TOOL = 3,
};
enum { STORE_ROLES = 4 };

enum store_titled_by { /* stored by number */
                       STORE_TITLED_NOT = 0,
                       STORE_TITLED_BY_CLIENT = 1,
                       STORE_TITLED_BY_MODEL = 2,
                       STORE_TITLED_BY_WORDS = 3,
};

struct store_message {
    int64_t position; /* from 0 */
    enum store_role role;
    uint32_t tokens;
    int64_t created_ms;
    struct str content;
};

/* What a call or a run does to a conversation. With a settlement it is done in the same transaction. A conversation
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
    /* The system text (when given), the title (unless there is one), or the summary of the messages before `until`
     * (unless it does not follow on that of the messages before `from`). */
    struct str text;
    enum store_titled_by titled_by;
    int64_t until;
};
/* One block on the heap. */
struct store_turn *store_turn_copy(const struct store_turn *turn);
/* A turn that no settlement carries. Asynchronous; on_durable may be NULL. */
void store_turn_keep(struct store *store, const struct store_turn *turn,
                     void (*on_durable)(void *context, const struct err *err), void *context);

/* --- Of a backend --- */

struct store_turn_rows {
    bool (*keep)(struct store_connection *connection, const struct store_turn *turn, struct err *err);
};

#endif
