/* What lies below the store: a backend, as a table of functions. SQLite's is sqlite_driver (sqlite/driver.h); whoever
 * opens a store names one, and nothing else in this folder knows which it is.
 *
 * Threads: a connection belongs to one thread at a time; the writing one to whoever opened the store, then to the
 * writer's thread. Only open_reader is called on another thread than that of the connection it is given.
 *
 * Row functions give true, or false with an error. ERR_CONFLICT, ERR_NOT_FOUND and ERR_INVALID are refusals: nothing
 * was written, and the transaction goes on. After anything else it is rolled back. What is said to be on the heap is
 * the caller's, also when the function fails, unless said otherwise. A backend across a network may keep what a group
 * writes until `flush` and send it at once, as long as each refusal is told by the function that it belongs to.
 *
 * A step that is settled is paid: settling a generation of STORE_PURPOSE_STEP adds it to its step and workflow. */
#ifndef NATARIS_STORE_DRIVER_H
#define NATARIS_STORE_DRIVER_H

#include "base/arena.h"
#include "store/admin.h"
#include "store/conversations.h"
#include "store/deliveries.h"
#include "store/jobs.h"
#include "store/ledger.h"
#include "store/settlements.h"
#include "store/usage.h"
#include "store/workflows.h"

/* Stands first in the backend's own struct. */
struct store_connection {
    const struct store_driver *driver;
    bool deliveries_added; /* by what was written; whoever tells the sender clears it */
};

enum store_commit {
    STORE_COMMIT_DONE,     /* it is durable */
    STORE_COMMIT_NOT_DONE, /* nothing of it is there, or ever will be */
    STORE_COMMIT_IN_DOUBT, /* the connection was lost before the answer came, or it came with a warning */
};

/* --- Rows, by noun --- */

struct store_setting_rows {
    bool (*get)(struct store_connection *connection, const char *name, char *out, size_t out_size,
                struct err *err); /* ERR_NOT_FOUND */
    bool (*set)(struct store_connection *connection, const char *name, const char *value, struct err *err);
};

struct store_account_rows {
    bool (*add)(struct store_connection *connection, const struct store_account *account, struct err *err);
    bool (*owner)(struct store_connection *connection, struct store_account *out, struct err *err); /* ERR_NOT_FOUND */
    bool (*each)(struct store_connection *connection, bool (*row)(void *context, const struct store_account *account),
                 void *context, struct err *err);
    /* The one `id`; or (empty) all behind `after`, at most `limit`. */
    bool (*page)(struct store_connection *connection, const char *id, const char *after, size_t limit,
                 struct store_account *rows, size_t *count, struct err *err);
    bool (*key_add)(struct store_connection *connection, const struct store_key *key, struct err *err);
    bool (*key_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_key *key),
                     void *context, struct err *err);
    bool (*key_find)(struct store_connection *connection, const uint8_t sha256[DIGEST_SHA256_SIZE],
                     struct store_key *out, bool *found, struct err *err);
    bool (*key_page)(struct store_connection *connection, const char *account_id, const char *after, size_t limit,
                     struct store_key *rows, size_t *count, struct err *err);
};

struct store_device_rows {
    bool (*token_add)(struct store_connection *connection, const struct store_join_token *token, struct err *err);
    bool (*find)(struct store_connection *connection, const uint8_t public_key[ED25519_KEY_SIZE],
                 struct store_device *out, bool *found, struct err *err);
    /* Adds `device` to the token's account, which it also sets; not `added` when the token is unknown or was not good
     * any more at device->created_ms. */
    bool (*enrol)(struct store_connection *connection, const uint8_t token_sha256[DIGEST_SHA256_SIZE],
                  struct store_device *device, bool *added, struct err *err);
    bool (*record_keep)(struct store_connection *connection, const char *device_id, const struct store_record *record,
                        struct err *err);
    bool (*review_add)(struct store_connection *connection, const struct store_review *review, struct err *err);
    /* The one `id`; or (empty) all (of the account, when that is not empty) behind `after`, at most `limit`. */
    bool (*page)(struct store_connection *connection, const char *id, const char *account_id, const char *after,
                 size_t limit, struct store_device *rows, size_t *count, struct err *err);
    bool (*review_page)(struct store_connection *connection, const char *device_id, int64_t before, size_t limit,
                        struct store_review *rows, size_t *count, struct err *err);
};

struct store_generation_page {
    const char *account_id, *after;
    bool earned;
    size_t limit;
};
struct store_generation_rows {
    bool (*each)(struct store_connection *connection,
                 bool (*row)(void *context, const struct store_generation *generation), void *context, struct err *err);
    bool (*page)(struct store_connection *connection, const struct store_generation_page *page,
                 struct store_generation *rows, size_t *count, struct err *err);
};

struct store_period {
    const char *account_id, *key_id; /* key_id empty: all */
    int64_t from_ms, to_ms;
};
struct store_usage_rows {
    /* The models are on the heap. */
    bool (*usage)(struct store_connection *connection, const struct store_period *period, struct store_usage *out,
                  struct err *err);
    bool (*earnings)(struct store_connection *connection, const struct store_period *period, struct store_earnings *out,
                     struct err *err);
};

struct store_settlement_rows {
    bool (*settle)(struct store_connection *connection, const struct store_settlement *settlement, struct err *err);
};

struct store_answer_rows {
    /* The content is on the heap. */
    bool (*find)(struct store_connection *connection, const uint8_t scope_sha256[DIGEST_SHA256_SIZE], int64_t now_ms,
                 struct store_answer *out, bool *found, struct err *err);
};

struct store_admin_rows {
    bool (*act)(struct store_connection *connection, const struct store_admin *admin, struct store_admin *result,
                struct err *err);
    bool (*audit_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_audit *audit),
                       void *context, struct err *err);
    bool (*audit_page)(struct store_connection *connection, int64_t before, size_t limit, struct store_audit *rows,
                       size_t *count, struct err *err);
};

struct store_ledger_rows {
    bool (*check)(struct store_connection *connection, void (*on_problem)(void *context, const char *text),
                  void *context, struct store_ledger_report *report, struct err *err);
    bool (*entry_each)(struct store_connection *connection, bool (*row)(void *context, const struct store_entry *entry),
                       void *context, struct err *err);
};

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
    bool (*turn_keep)(struct store_connection *connection, const struct store_turn *turn, struct err *err);
};

struct store_job_rows {
    /* Body and result are on the heap, when it is found. ERR_NOT_FOUND. */
    bool (*find)(struct store_connection *connection, const char *id, struct store_job *out, struct err *err);
    /* `existing` (empty: none) is the id of the job that has its scope; then nothing was written. */
    bool (*add)(struct store_connection *connection, const struct store_job_new *asked, char existing[STORE_ID_MAX],
                struct err *err);
    bool (*move)(struct store_connection *connection, const char *id, enum store_job_state state, int64_t now_ms,
                 struct err *err);
    /* Not `changed`: it had ended before, or there is none. */
    bool (*end)(struct store_connection *connection, const struct store_job_end *end, bool *changed, struct err *err);
    /* `rows` is on the heap. */
    bool (*list)(struct store_connection *connection, const struct store_job_query *query, struct store_job **rows,
                 size_t *count, bool *more, struct err *err);
    bool (*purge)(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more, struct err *err);
};

struct store_event_rows {
    /* The event and its deliveries; nothing when no endpoint of the account wants it. Errors are never a refusal
     * (ERR_INTERNAL, ERR_IO): call it when nothing can be refused any more. */
    bool (*add)(struct store_connection *connection, const struct store_event *event, struct err *err);
};

struct store_webhook_rows {
    bool (*change)(struct store_connection *connection, const struct store_webhook_change *change,
                   struct store_webhook_result *result, struct err *err);
    /* STORE_WEBHOOKS_MAX at most. `id` empty: all; else ERR_NOT_FOUND. */
    bool (*read)(struct store_connection *connection, const char *account_id, const char *id,
                 struct store_webhook *rows, size_t *count, struct err *err);
};

struct store_delivery_rows {
    bool (*find)(struct store_connection *connection, int64_t webhook, const char *id, struct store_delivery *out,
                 struct err *err); /* ERR_NOT_FOUND, field "after" */
    bool (*page)(struct store_connection *connection, int64_t webhook, int64_t before, size_t limit,
                 struct store_delivery *rows, size_t *count, struct err *err);
    /* For store_due_free. */
    bool (*due)(struct store_connection *connection, const struct store_due_query *query, struct store_due *out,
                struct err *err);
    bool (*attempt_end)(struct store_connection *connection, const struct store_attempt *attempt, struct err *err);
    bool (*purge)(struct store_connection *connection, int64_t before_ms, bool *more, struct err *err);
};

struct store_workflow_page {
    struct store_workflow rows[STORE_WORKFLOW_LIST_MAX];
    size_t count;
    bool more;
    int64_t total;
};
struct store_step_history_query {
    char account_id[STORE_ID_MAX], model[STORE_MODEL_MAX];
    bool test;
    enum store_workflow_kind kind;
};
struct store_workflow_rows {
    /* `account_id` empty: whosever it is. ERR_NOT_FOUND. */
    bool (*find)(struct store_connection *connection, const char *account_id, bool test, const char *id,
                 struct store_workflow_found *out, struct err *err);
    /* `existing` (empty: none) is the id of the workflow that is there already; then nothing was written. */
    bool (*add)(struct store_connection *connection, const struct store_workflow_new *asked,
                char existing[STORE_ID_MAX], struct err *err);
    /* `out` is the workflow as it is then. */
    bool (*end)(struct store_connection *connection, const struct store_workflow_end *end,
                struct store_workflow_found *out, bool *changed, struct err *err);
    bool (*step_put)(struct store_connection *connection, const char *workflow_id, const struct store_step *step,
                     const uint8_t *answer_scope, struct err *err);
    bool (*list)(struct store_connection *connection, const struct store_workflow_query *query,
                 struct store_workflow_page *out, struct err *err);
    /* `rows` is on the heap. */
    bool (*open)(struct store_connection *connection, struct store_workflow_open **rows, size_t *count,
                 struct err *err);
    bool (*step_history)(struct store_connection *connection, const struct store_step_history_query *query,
                         struct store_step_history out[STORE_STEP_NAMES], size_t *count, struct err *err);
    bool (*purge)(struct store_connection *connection, int64_t before_ms, size_t limit, bool *more, struct err *err);
};

/* --- The whole --- */

struct store_driver {
    const char *name;

    /* Opens or creates what lies at `place`, and brings it to the newest schema. Errors as of store_open. */
    bool (*open)(struct store_connection **out, const char *place, struct err *err);
    /* A second connection, to read what `writer` has committed. */
    bool (*open_reader)(struct store_connection **out, const struct store_connection *writer, struct err *err);
    void (*close)(struct store_connection *connection);
    /* Before the first group: a crash may have left something to clean up after the next commit. */
    void (*serve)(struct store_connection *connection);

    /* A group: begin, what it writes, flush when it has written anything, commit. Begin and flush tell ERR_UNAVAILABLE
     * when nothing was done but may be later. */
    bool (*begin)(struct store_connection *connection, struct err *err);
    bool (*flush)(struct store_connection *connection, int64_t now_ms, struct err *err); /* answers expire by now_ms */
    /* NOT_DONE: rolled back. */
    enum store_commit (*commit)(struct store_connection *connection, struct err *err);
    /* After IN_DOUBT: connects again and looks whether the group is there. IN_DOUBT: it cannot be told now; asked again
     * later, or rolled back. A driver whose commit is never in doubt is never asked. */
    enum store_commit (*resolve)(struct store_connection *connection, struct err *err);
    void (*rollback)(struct store_connection *connection);
    /* On a reading connection: what is read in between is of one state. */
    bool (*begin_read)(struct store_connection *connection, struct err *err);
    void (*end_read)(struct store_connection *connection);

    const struct store_setting_rows *settings;
    const struct store_account_rows *accounts;
    const struct store_device_rows *devices;
    const struct store_generation_rows *generations;
    const struct store_usage_rows *usage;
    const struct store_settlement_rows *settlements;
    const struct store_answer_rows *answers;
    const struct store_admin_rows *admin;
    const struct store_ledger_rows *ledger;
    const struct store_conversation_rows *conversations;
    const struct store_job_rows *jobs;
    const struct store_event_rows *events;
    const struct store_webhook_rows *webhooks;
    const struct store_delivery_rows *deliveries;
    const struct store_workflow_rows *workflows;
};

#endif
