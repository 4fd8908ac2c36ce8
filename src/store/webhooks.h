/* Webhooks: endpoints, and what their accounts do with them (docs/WEBHOOKS.md). */
#ifndef NATARIS_STORE_WEBHOOKS_H
#define NATARIS_STORE_WEBHOOKS_H

#include "store/events.h"

enum {
    STORE_WEBHOOKS_MAX = 16, /* of an account */
    STORE_WEBHOOK_URL_MAX = 2049,
    STORE_WEBHOOK_SECRET_SIZE = 32,
    STORE_WEBHOOK_AMOUNTS_MAX = 8,
    STORE_WEBHOOK_ASKED_MAX = 10, /* tests and redeliveries of one endpoint in STORE_WEBHOOK_ASKED_MS */
    STORE_WEBHOOK_ASKED_MS = 60 * 1000,
};
#define STORE_WEBHOOK_ROTATION_MS (INT64_C(24) * 3600 * 1000) /* how long the old secret signs beside the new one */

enum store_webhook_state { /* stored by number */
                           STORE_WEBHOOK_ENABLED = 0,
                           STORE_WEBHOOK_DISABLED = 1, /* by its account */
                           STORE_WEBHOOK_GONE = 2,     /* it answered 410: until its account enables it again */
                           STORE_WEBHOOK_DELETED = 3,  /* nobody sees it any more; its rows go by and by */
};

struct store_webhook {
    int64_t number;
    char id[STORE_ID_MAX], account_id[STORE_ID_MAX];
    char url[STORE_WEBHOOK_URL_MAX];
    char description[STORE_NAME_MAX];
    uint32_t events; /* bit n: those of kind n */
    enum store_webhook_state state;
    uint8_t secret[STORE_WEBHOOK_SECRET_SIZE], old_secret[STORE_WEBHOOK_SECRET_SIZE];
    int64_t old_until_ms;                          /* the old secret signs until then; 0: there is none */
    int64_t balance_nano;                          /* balance.low: the balance falls below it */
    int64_t usage_nano[STORE_WEBHOOK_AMOUNTS_MAX]; /* usage.threshold: a month's spending reaches it */
    size_t usage_count;
    int64_t created_ms;
    int64_t waiting, dropped; /* deliveries that wait; events for which it had no room, ever */
    int64_t dropped_ms;       /* the last of these; 0: none */
};

/* `amounts` (of `count`) with one more, unless it is there already: a threshold is crossed once, however often it is
 * named. Returns how many there are then. */
size_t store_webhook_amount_add(int64_t amounts[STORE_WEBHOOK_AMOUNTS_MAX], size_t count, int64_t amount);

enum store_delivery_state { /* stored by number */
                            STORE_DELIVERY_WAITING = 0,
                            STORE_DELIVERY_DELIVERED = 1,
                            STORE_DELIVERY_FAILED = 2,
};
enum { STORE_DELIVERY_RESPONSE_MAX = 1024, STORE_DELIVERY_NOTE_MAX = 128 };

struct store_delivery {
    int64_t number, event_number;
    char id[STORE_ID_MAX], event_id[STORE_ID_MAX];
    enum store_event_kind kind;
    bool asked; /* a test or a redelivery */
    enum store_delivery_state state;
    uint32_t attempts;
    int64_t due_ms, created_ms;
    int64_t tried_ms; /* the last attempt; 0: none yet. Of it: */
    uint32_t latency_ms;
    int status; /* 0: no HTTP answer */
    char note[STORE_DELIVERY_NOTE_MAX];
    char response[STORE_DELIVERY_RESPONSE_MAX + 1]; /* any bytes; where they stop being UTF-8, cut */
};

struct store_webhook_change {
    enum store_webhook_change_kind {
        STORE_WEBHOOK_CREATE,    /* webhook: all but number and the old secret. ERR_CONFLICT: it has too many */
        STORE_WEBHOOK_UPDATE,    /* webhook.id: the members that `set` names */
        STORE_WEBHOOK_DELETE,    /* webhook.id */
        STORE_WEBHOOK_ROTATE,    /* webhook.id: webhook.secret takes the place of its secret */
        STORE_WEBHOOK_TEST,      /* webhook.id: a test event. ERR_CONFLICT: not enabled, or (field "rate") too often */
        STORE_WEBHOOK_REDELIVER, /* webhook.id, delivery_id: its event once more. ERR_CONFLICT likewise */
    } kind;
    struct store_webhook webhook; /* with the account that asks: ERR_NOT_FOUND when the endpoint is another's */
    bool set_url, set_description, set_events, set_state, set_balance, set_usage;
    char delivery_id[STORE_ID_MAX];
    int64_t now_ms;
};
struct store_webhook_result {
    struct store_webhook webhook;   /* as it is now, or was before it was deleted */
    struct store_delivery delivery; /* of a test or redelivery */
};
/* One transaction. */
void store_webhook_change(struct store *store, const struct store_webhook_change *change,
                          void (*on_result)(void *context, const struct store_webhook_result *result,
                                            const struct err *err),
                          void *context);
/* Those of an account in order of creation, or (with an id) the one: ERR_NOT_FOUND. Borrowed for the call. */
void store_webhooks_read(struct store *store, const char *account_id, const char *id,
                         void (*on_result)(void *context, const struct store_webhook *webhooks, size_t count,
                                           const struct err *err),
                         void *context);

/* --- Of a backend --- */

struct store_webhook_rows {
    bool (*change)(struct store_connection *connection, const struct store_webhook_change *change,
                   struct store_webhook_result *result, struct err *err);
    /* STORE_WEBHOOKS_MAX at most. `id` empty: all; else ERR_NOT_FOUND. */
    bool (*read)(struct store_connection *connection, const char *account_id, const char *id,
                 struct store_webhook *rows, size_t *count, struct err *err);
};

#endif
