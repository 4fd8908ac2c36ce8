/* Webhooks: endpoints, events, and their deliveries (docs/WEBHOOKS.md).
 *
 * An event is added in the transaction of what it tells about, together with one delivery for each endpoint that wants
 * it: either all of it is durable or nothing. What waits is found again after a crash; a delivery is made at least
 * once, always with the same webhook-id. */
#ifndef NATARIS_STORE_WEBHOOKS_H
#define NATARIS_STORE_WEBHOOKS_H

#include "store/money.h"

struct ledger;

enum store_event_kind {                   /* stored by number */
                        STORE_EVENT_TEST, /* asked for; goes to one endpoint, whatever its filter */
                        STORE_EVENT_JOB_COMPLETED,
                        STORE_EVENT_JOB_FAILED,
                        STORE_EVENT_WORKFLOW_COMPLETED,
                        STORE_EVENT_BALANCE_LOW,     /* found by the settlement itself */
                        STORE_EVENT_USAGE_THRESHOLD, /* likewise */
                        STORE_EVENT_KINDS,
};
/* "job.completed" and so on. */
const char *store_event_name(enum store_event_kind kind);
/* False: there is no such event. STORE_EVENT_TEST is none that can be asked for. */
MUST_CHECK bool store_event_kind_of(struct str name, enum store_event_kind *out);

enum { STORE_EVENT_DATA_MAX = 32 * 1024 };

struct store_event {
    const char *account_id;
    enum store_event_kind kind;
    int64_t created_ms; /* wall clock */
    /* A whole JSON object, at most STORE_EVENT_DATA_MAX bytes: the event's `data`. Ids, states, counts and amounts; never
     * a prompt or an answer, which its receiver asks for by id. */
    struct str data;
};
/* For the writer's thread only, inside the transaction of what the event tells about: adds the event and its deliveries,
 * nothing when no endpoint of the account wants it. Errors are never a refusal (ERR_INTERNAL, ERR_IO): the whole group
 * is rolled back, so call it when nothing can be refused any more. The sender is told once the group is durable. */
MUST_CHECK bool store_event_add(struct ledger *ledger, const struct store_event *event, struct err *err);

/* --- Endpoints --- */
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
                           STORE_WEBHOOK_ENABLED,
                           STORE_WEBHOOK_DISABLED, /* by its account */
                           STORE_WEBHOOK_GONE,     /* it answered 410: until its account enables it again */
                           STORE_WEBHOOK_DELETED,  /* nobody sees it any more; its rows go by and by */
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
};

enum store_delivery_state { STORE_DELIVERY_WAITING, STORE_DELIVERY_DELIVERED, STORE_DELIVERY_FAILED }; /* by number */
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
        STORE_WEBHOOK_CREATE, /* webhook: all but number and the old secret. ERR_CONFLICT: it has too many */
        STORE_WEBHOOK_UPDATE, /* webhook.id: the members that `set` names */
        STORE_WEBHOOK_DELETE, /* webhook.id */
        STORE_WEBHOOK_ROTATE, /* webhook.id: webhook.secret takes the place of its secret */
        STORE_WEBHOOK_TEST, /* webhook.id: a test event for it. ERR_CONFLICT: not enabled, or (field "rate") too often */
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
/* An endpoint's deliveries, newest first, behind the delivery `after` (empty: from the newest). ERR_NOT_FOUND for the
 * endpoint (field "id") or `after` (field "after"). Borrowed for the call. */
void store_deliveries_read(struct store *store, const char *account_id, const char *webhook_id, const char *after,
                           unsigned limit,
                           void (*on_result)(void *context, const struct store_delivery *deliveries, size_t count,
                                             bool more, const struct err *err),
                           void *context);

#endif
