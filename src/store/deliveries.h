/* Deliveries: lists of them; for the sender (webhook/sender.h) what is due, and how each attempt ended. */
#ifndef NATARIS_STORE_DELIVERIES_H
#define NATARIS_STORE_DELIVERIES_H

#include "store/webhooks.h"

/* `on_change` comes on the loop's thread: deliveries were added (webhook 0), or the webhook of that number is another
 * now: what is known of it must be asked again. NULL ends it. */
void store_deliveries_watch(struct store *store, void (*on_change)(void *context, int64_t webhook), void *context);

/* --- Lists --- */

/* An endpoint's deliveries, newest first, behind the delivery `after` (empty: from the newest). ERR_NOT_FOUND for the
 * endpoint (field "id") or `after` (field "after"). Borrowed for the call. */
void store_deliveries_read(struct store *store, const char *account_id, const char *webhook_id, const char *after,
                           unsigned limit,
                           void (*on_result)(void *context, const struct store_delivery *deliveries, size_t count,
                                             bool more, const struct err *err),
                           void *context);

/* --- The sender --- */

enum { STORE_DUE_EACH_MAX = 64 }; /* deliveries of one webhook in one answer */

struct store_due_delivery {
    int64_t number;
    char event_id[STORE_ID_MAX];
    uint32_t attempts; /* before this one */
    struct str body;
};
struct store_due_webhook {
    int64_t number, account_number;
    char url[STORE_WEBHOOK_URL_MAX];
    uint8_t secret[STORE_WEBHOOK_SECRET_SIZE], old_secret[STORE_WEBHOOK_SECRET_SIZE];
    int64_t old_until_ms; /* 0: no old one */
    struct store_due_delivery *deliveries;
    size_t count;
};
struct store_due { /* owned by who got it: store_due_free */
    struct store_due_webhook *webhooks;
    size_t count;
    int64_t next_ms; /* when the next delivery is due of those webhooks that have none due now; INT64_MAX: none is */
    int64_t resume;  /* what to ask next as `after`: behind the last webhook when not all fitted, else 0 */
};
void store_due_free(struct store_due *due);

struct store_due_query {
    int64_t now_ms;
    int64_t after;         /* only webhooks of greater numbers */
    const int64_t *except; /* webhooks to leave out, sorted; copied */
    size_t except_count;
    size_t limit, bytes; /* deliveries in all, and about so many bytes of bodies */
};
/* `due` NULL: it failed. */
void store_deliveries_due(struct store *store, const struct store_due_query *query,
                          void (*on_result)(void *context, struct store_due *due, const struct err *err),
                          void *context);

struct store_attempt { /* how an attempt ended */
    int64_t delivery, webhook;
    enum store_delivery_state state; /* WAITING: it is tried again at due_ms */
    bool gone;                       /* it answered 410: the webhook is disabled */
    uint32_t attempts;               /* with this one */
    int64_t due_ms, tried_ms;
    uint32_t latency_ms;
    int status;
    char note[STORE_DELIVERY_NOTE_MAX];
    size_t response_len;
    char response[STORE_DELIVERY_RESPONSE_MAX];
};
/* Once it is durable; a webhook that is gone is told to who watches. */
void store_attempt_end(struct store *store, const struct store_attempt *attempt,
                       void (*on_durable)(void *context, const struct err *err), void *context);

/* Deletes what is older, and rows of deleted webhooks: some of it. `more`: there may be more of it. */
void store_deliveries_purge(struct store *store, int64_t before_ms,
                            void (*on_done)(void *context, bool more, const struct err *err), void *context);

/* --- Of a backend --- */

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

#endif
